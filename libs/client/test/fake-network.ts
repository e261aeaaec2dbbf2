/**
 * Links between clients and the fake server: each direction of a link keeps its order, with a delay of its own. A link
 * can be cut, or go dumb without anybody being told; what was under way may still arrive after its client has closed it.
 */
import type { Handshake } from '@homeport/protocol';
import type { DialedSocket, Dialer, SocketEvents } from '../src/dialer.js';
import type { FakeClock } from './fake-clock.js';
import type { SeededRandom } from './seeded-random.js';

/** How long the pings of the transport take to find out that a link is dead. */
export const DUMB_MS = 20_000;

export interface ServerEnd {
  readonly handshake: Handshake;
  send(event: string, payload: object): void;
  cut(): void;
}

/** What a server does with a link. */
export interface Accepts {
  /** A link that was dialed; the answer is why it is refused, or undefined. */
  accept(end: ServerEnd): object | undefined;
  receive(end: ServerEnd, event: string, message: object, answer: (reply: object) => void): void;
  gone(end: ServerEnd): void;
}

export interface Weather {
  /** Share of frames and presence that get lost, or come twice. */
  readonly lossy: number;
  readonly delayMaxMs: number;
  /** Whether dials and messages get through at all. */
  readonly reachable: boolean;
}

export class FakeNetwork implements Dialer {
  weather: Weather = { lossy: 0, delayMaxMs: 20, reachable: true };
  readonly links = new Set<FakeLink>();
  dials = 0;
  lastUrl = '';
  readonly clock: FakeClock;
  readonly random: SeededRandom;
  readonly server: Accepts;

  constructor(clock: FakeClock, random: SeededRandom, server: Accepts) {
    this.clock = clock;
    this.random = random;
    this.server = server;
  }

  dial(url: string, handshake: Handshake, events: SocketEvents): DialedSocket {
    this.dials++;
    this.lastUrl = url;
    return new FakeLink(this, handshake, events);
  }
}

export class FakeLink implements DialedSocket {
  readonly serverEnd: ServerEnd;
  readonly #net: FakeNetwork;
  readonly #events: SocketEvents;
  #state: 'dialing' | 'open' | 'dumb' | 'closed' = 'dialing';
  #upMs = 0;
  #downMs = 0;

  constructor(net: FakeNetwork, handshake: Handshake, events: SocketEvents) {
    this.#net = net;
    this.#events = events;
    this.serverEnd = { handshake, send: (event, payload) => this.#down(event, payload), cut: () => this.cut() };
    net.links.add(this);
    this.#later('up', () => this.#arrive());
  }

  send(event: string, message: object): void {
    if (this.#state !== 'open') return;
    const copy = structuredClone(message);
    this.#later('up', () => this.#net.server.receive(this.serverEnd, event, copy, () => undefined));
  }

  request(event: string, message: object, answer: (reply: unknown) => void): void {
    if (this.#state !== 'open') return;
    const copy = structuredClone(message);
    this.#later('up', () =>
      this.#net.server.receive(this.serverEnd, event, copy, (reply) => {
        const sent = structuredClone(reply);
        this.#later('down', () => answer(sent));
        if (this.#net.random.chance(this.#net.weather.lossy)) this.#later('down', () => answer(sent));
      }),
    );
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#net.links.delete(this);
    this.#later('up', () => this.#net.server.gone(this.serverEnd));
    // Told late, when its client has long gone on.
    this.#later('down', () => this.#events.lost());
  }

  /** Broken: both ends learn it. */
  cut(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#net.links.delete(this);
    this.#later('down', () => this.#events.lost());
    this.#net.server.gone(this.serverEnd);
  }

  /** Nothing arrives any more, and nobody is told until the pings of the transport give up. */
  goDumb(): void {
    if (this.#state !== 'open') return;
    this.#state = 'dumb';
    this.#net.clock.after(DUMB_MS, () => this.cut());
  }

  #arrive(): void {
    if (this.#state !== 'dialing') return;
    if (!this.#net.weather.reachable) {
      // Refused, or the dial is never answered at all.
      if (this.#net.random.chance(0.5)) this.cut();
      return;
    }
    const refusal = this.#net.server.accept(this.serverEnd);
    if (refusal === undefined) return;
    this.#later('down', () => this.#events.refused(refusal));
  }

  #down(event: string, payload: object): void {
    if (event === 'hello' && this.#state === 'dialing') this.#state = 'open';
    const { random, weather } = this.#net;
    const copy = structuredClone(payload);
    const loses = event === 'entries' || event === 'presence';
    if (loses && random.chance(weather.lossy)) return;
    this.#later('down', () => this.#events.message(event, copy));
    if (loses && random.chance(weather.lossy)) this.#later('down', () => this.#events.message(event, copy));
  }

  #later(way: 'up' | 'down', task: () => void): void {
    const { clock, random, weather } = this.#net;
    const now = clock.monotonicMs();
    const dueMs = Math.max(now + random.next() * weather.delayMaxMs, way === 'up' ? this.#upMs : this.#downMs);
    if (way === 'up') this.#upMs = dueMs;
    else this.#downMs = dueMs;
    clock.after(dueMs - now, () => {
      if (this.#state !== 'dumb') task();
    });
  }
}
