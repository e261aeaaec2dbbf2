/**
 * The way between clients and one process: ordered per channel, with latency, and gone at any moment. What was under
 * way when a channel breaks arrives up to some message, as with TCP.
 */
import { Channel, FanOut, type DocumentEvent } from '@homeport/core';
import type { DocumentId, ServerToClient } from '@homeport/protocol';
import type { FakeClock } from '../fake-clock.js';
import type { SeededRandom } from '../seeded-random.js';

/** The client's end. */
export interface Peer {
  readonly hear: (event: keyof ServerToClient, payload: never) => void;
  readonly heardAnswer: () => void;
  readonly ended: () => void;
}

const LATENCY_MS = 4;
/** How long it may take until a room is heard that somebody has joined. */
const SUBSCRIBED_MS = 40;

export class SimChannel extends Channel {
  readonly #world: FakeClock;
  readonly #random: SeededRandom;
  readonly #rooms: SimRooms;
  readonly #peer: Peer;
  readonly #arrive: (event: () => void) => void;
  #state: 'open' | 'closed' = 'open';
  #underWay = 0;
  #arrivesMs = 0;
  /** Of what is under way, so much arrives. */
  #deliverable = Infinity;
  backlogBytes = 0;

  /** `arrive`: how what comes in reaches the process; it may be stopped, or dead. */
  constructor(
    world: FakeClock,
    random: SeededRandom,
    rooms: SimRooms,
    peer: Peer,
    arrive: (event: () => void) => void,
  ) {
    super();
    this.#arrive = arrive;
    this.#world = world;
    this.#random = random;
    this.#rooms = rooms;
    this.#peer = peer;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  override send<Event extends keyof ServerToClient>(event: Event, payload: Parameters<ServerToClient[Event]>[0]): void {
    this.sendText(event, JSON.stringify(payload));
  }

  sendText(event: keyof ServerToClient, payloadText: string): void {
    this.deliver(() => this.#peer.hear(event, JSON.parse(payloadText) as never));
  }

  /** To the peer, after everything that was sent before. */
  deliver(arrive: () => void): void {
    if (this.#state === 'closed') return;
    this.#travel(arrive);
  }

  override join(document: DocumentId): void {
    if (this.#state === 'open') this.#rooms.join(document, this);
  }

  override async joinRelayed(document: DocumentId): Promise<void> {
    if (this.#state === 'closed') return;
    const waitMs = this.#rooms.joinRelayed(document, this);
    await new Promise<void>((heard) => this.#world.after(waitMs, () => this.#arrive(heard)));
  }

  override leave(document: DocumentId): void {
    this.#rooms.leave(document, this);
  }

  override bufferedBytes(): number {
    return this.backlogBytes;
  }

  /** Ended by the server: what was sent before still arrives. */
  override close(): void {
    if (this.#state === 'closed') return;
    this.#end();
    this.#travel(() => this.#peer.ended());
  }

  /** The connection is gone; the peer notices. */
  break(): void {
    if (this.#state === 'closed') return;
    this.#end();
    this.#deliverable = this.#random.int(this.#underWay + 1);
    this.#world.after(this.#random.between(0, 50), () => this.#peer.ended());
  }

  /** The peer went away: it hears nothing more. */
  hangUp(): void {
    this.#end();
    this.#deliverable = 0;
  }

  #end(): void {
    this.#state = 'closed';
    this.#rooms.leaveAll(this);
  }

  #travel(arrive: () => void): void {
    this.#underWay++;
    const nowMs = this.#world.monotonicMs();
    this.#arrivesMs = Math.max(this.#arrivesMs, nowMs + this.#random.between(0, LATENCY_MS));
    this.#world.after(this.#arrivesMs - nowMs, () => {
      this.#underWay--;
      if (this.#deliverable-- > 0) arrive();
    });
  }
}

/** The rooms of one process. What other nodes publish is heard some time after the first has joined, as with SSUBSCRIBE. */
export class SimRooms extends FanOut {
  readonly #world: FakeClock;
  readonly #random: SeededRandom;
  readonly #rooms = new Map<DocumentId, Set<SimChannel>>();
  readonly #relayed = new Map<DocumentId, Set<SimChannel>>();
  readonly #heardFromMs = new Map<DocumentId, number>();
  /** When the last message of other nodes came, or will come. */
  #arrivesMs = 0;
  /** Probability that a channel misses a message. */
  loss = 0;
  onDeliver: () => void = () => {};
  onPublish: (document: DocumentId, event: DocumentEvent, payloadText: string) => void = () => {};

  constructor(world: FakeClock, random: SeededRandom) {
    super();
    this.#world = world;
    this.#random = random;
  }

  override deliver(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    this.onDeliver();
    for (const channel of this.#rooms.get(document) ?? [])
      if (!this.#random.chance(this.loss)) channel.sendText(event, payloadText);
  }

  override publish(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    this.onPublish(document, event, payloadText);
  }

  /** Another node has published this now. `isOrdered`: it comes in after what was published before it. */
  hear(isOrdered: boolean, document: DocumentId, arrive: () => void): void {
    const nowMs = this.#world.monotonicMs();
    const lateMs = this.#random.between(0.1, 3);
    this.#arrivesMs = Math.max(this.#arrivesMs, nowMs + lateMs);
    this.#world.after(isOrdered ? this.#arrivesMs - nowMs : lateMs, () => {
      if (this.#world.monotonicMs() >= (this.#heardFromMs.get(document) ?? Infinity)) arrive();
    });
  }

  override deliverRelayed(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    for (const channel of this.#relayed.get(document) ?? []) channel.sendText(event, payloadText);
  }

  join(document: DocumentId, channel: SimChannel): void {
    this.#rooms.set(document, (this.#rooms.get(document) ?? new Set()).add(channel));
  }

  /** In so many milliseconds the room is heard. */
  joinRelayed(document: DocumentId, channel: SimChannel): number {
    const nowMs = this.#world.monotonicMs();
    this.#relayed.set(document, (this.#relayed.get(document) ?? new Set()).add(channel));
    const fromMs = this.#heardFromMs.get(document) ?? nowMs + this.#random.between(0, SUBSCRIBED_MS);
    this.#heardFromMs.set(document, fromMs);
    return Math.max(0, fromMs - nowMs);
  }

  leave(document: DocumentId, channel: SimChannel): void {
    this.#rooms.get(document)?.delete(channel);
    this.#relayed.get(document)?.delete(channel);
    if (this.#relayed.get(document)?.size === 0) this.#heardFromMs.delete(document);
  }

  leaveAll(channel: SimChannel): void {
    for (const document of [...this.#rooms.keys(), ...this.#relayed.keys()]) this.leave(document, channel);
  }
}
