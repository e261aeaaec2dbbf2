/**
 * Links between clients and the nodes of the fake server: each direction of a link keeps its order, with a delay of its own. A link
 * can be cut, or go dumb without anybody being told; what was under way may still arrive after its client has closed it.
 */
import type { Handshake } from '@homeport/protocol';
import type { DialedSocket, Dialer, SocketEvents } from '../src/dialer.js';
import type { FakeClock } from './fake-clock.js';
import type { FakeNode } from './fake-node.js';
import type { FakeServer } from './fake-server.js';
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

interface Dialing {
  readonly url: string;
  readonly session: string | undefined;
  readonly atMs: number;
}

export class FakeNetwork implements Dialer {
  weather: Weather = { lossy: 0, delayMaxMs: 20, reachable: true };
  readonly links = new Set<FakeLink>();
  readonly dialed: Dialing[] = [];
  /** When each session asked for documents, and what it knew of their epochs. */
  readonly opens = new Map<string | undefined, number[]>();
  readonly #carried = new Map<string, number>();
  /** Opens that named a lower epoch than one of the same session before. */
  readonly fallen: string[] = [];
  /** Nodes that clients have no way to. */
  readonly walled = new Set<string>();
  /** Other addresses of nodes: host name -> node. */
  readonly aliases = new Map<string, string>();
  /** The load balancer does not look at `?node=`. */
  misrouted = false;
  /** Dials that led to another node than the one that was asked for. */
  strays = 0;
  readonly clock: FakeClock;
  readonly random: SeededRandom;
  readonly server: FakeServer;

  constructor(clock: FakeClock, random: SeededRandom, server: FakeServer) {
    this.clock = clock;
    this.random = random;
    this.server = server;
  }

  get dials(): number {
    return this.dialed.length;
  }

  dial(url: string, handshake: Handshake, events: SocketEvents): DialedSocket {
    this.dialed.push({ url, session: handshake.session, atMs: this.clock.monotonicMs() });
    return new FakeLink(this, this.#nodeAt(url), handshake, events);
  }

  noteOpen(session: string | undefined, { document, epoch = 0 }: { document: string; epoch?: number }): void {
    const opens = this.opens.get(session) ?? [];
    this.opens.set(session, opens);
    opens.push(this.clock.monotonicMs());
    const name = `${session} ${document}`;
    const known = this.#carried.get(name) ?? 0;
    if (epoch < known) this.fallen.push(`${document} was opened with epoch ${epoch} after ${known}`);
    this.#carried.set(name, epoch);
  }

  /** Breaks the way to a node; who is connected to it is told, or not. */
  wall(name: string, told: boolean): void {
    this.walled.add(name);
    for (const link of this.links) {
      if (link.node?.name !== name) continue;
      if (told) link.cut();
      else link.goDumb();
    }
  }

  #nodeAt(url: string): FakeNode | undefined {
    const { hostname, searchParams } = new URL(url);
    const asked = searchParams.get('node');
    if (hostname !== 'balancer') return this.server.nodes.get(this.aliases.get(hostname) ?? hostname);
    if (asked !== null && !this.misrouted) return this.server.nodes.get(asked);
    const up = [...this.server.nodes.values()].filter(({ state }) => state === 'up');
    const node = this.random.pick(up);
    if (asked !== null && node?.name !== asked) this.strays++;
    return node;
  }
}

export class FakeLink implements DialedSocket {
  readonly serverEnd: ServerEnd;
  readonly node: FakeNode | undefined;
  readonly #net: FakeNetwork;
  readonly #events: SocketEvents;
  #state: 'dialing' | 'open' | 'dumb' | 'closed' = 'dialing';
  #upMs = 0;
  #downMs = 0;

  constructor(net: FakeNetwork, node: FakeNode | undefined, handshake: Handshake, events: SocketEvents) {
    this.#net = net;
    this.node = node;
    this.#events = events;
    this.serverEnd = { handshake, send: (event, payload) => this.#down(event, payload), cut: () => this.cut() };
    net.links.add(this);
    this.#later('up', () => this.#arrive());
  }

  send(event: string, message: object): void {
    if (this.#state !== 'open') return;
    const copy = structuredClone(message);
    this.#later('up', () => this.node?.receive(this.serverEnd, event, copy, () => undefined));
  }

  request(event: string, message: object, answer: (reply: unknown) => void): void {
    if (this.#state !== 'open') return;
    const copy = structuredClone(message);
    if (event === 'open' && !('next' in message)) {
      this.#net.noteOpen(this.serverEnd.handshake.session, copy as { document: string; epoch?: number });
    }
    this.#later('up', () =>
      this.node?.receive(this.serverEnd, event, copy, (reply) => {
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
    this.#later('up', () => this.node?.gone(this.serverEnd));
    // Told late, when its client has long gone on.
    this.#later('down', () => this.#events.lost());
  }

  /** Broken: both ends learn it. */
  cut(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#net.links.delete(this);
    this.#later('down', () => this.#events.lost());
    this.node?.gone(this.serverEnd);
  }

  /** Nothing arrives any more, and nobody is told until the pings of the transport give up. */
  goDumb(): void {
    if (this.#state !== 'open') return;
    this.#state = 'dumb';
    this.#net.clock.after(DUMB_MS, () => this.cut());
  }

  #arrive(): void {
    if (this.#state !== 'dialing') return;
    const { node } = this;
    if (node?.state === 'hung') return;
    if (node === undefined || node.state === 'down') return this.cut();
    if (!this.#net.weather.reachable || this.#net.walled.has(node.name)) {
      // Refused, or the dial is never answered at all.
      if (this.#net.random.chance(0.5)) this.cut();
      return;
    }
    const refusal = node.accept(this.serverEnd);
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
