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

export class SimChannel extends Channel {
  readonly #world: FakeClock;
  readonly #random: SeededRandom;
  readonly #rooms: SimRooms;
  readonly #peer: Peer;
  #state: 'open' | 'closed' = 'open';
  #underWay = 0;
  #arrivesMs = 0;
  /** Of what is under way, so much arrives. */
  #deliverable = Infinity;
  backlogBytes = 0;

  constructor(world: FakeClock, random: SeededRandom, rooms: SimRooms, peer: Peer) {
    super();
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
    if (this.#state === 'open') this.#rooms.joinRelayed(document, this);
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

/** The rooms of one process. */
export class SimRooms extends FanOut {
  readonly #random: SeededRandom;
  readonly #rooms = new Map<DocumentId, Set<SimChannel>>();
  readonly #relayed = new Map<DocumentId, Set<SimChannel>>();
  /** Probability that a channel misses a message. */
  loss = 0;
  onDeliver: () => void = () => {};
  onPublish: (document: DocumentId, event: DocumentEvent, payloadText: string) => void = () => {};

  constructor(random: SeededRandom) {
    super();
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

  /** Also what another node published, when it comes in. */
  override deliverRelayed(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    for (const channel of this.#relayed.get(document) ?? []) channel.sendText(event, payloadText);
  }

  join(document: DocumentId, channel: SimChannel): void {
    this.#rooms.set(document, (this.#rooms.get(document) ?? new Set()).add(channel));
  }

  joinRelayed(document: DocumentId, channel: SimChannel): void {
    this.#relayed.set(document, (this.#relayed.get(document) ?? new Set()).add(channel));
  }

  leave(document: DocumentId, channel: SimChannel): void {
    this.#rooms.get(document)?.delete(channel);
    this.#relayed.get(document)?.delete(channel);
  }

  leaveAll(channel: SimChannel): void {
    for (const room of [...this.#rooms.values(), ...this.#relayed.values()]) room.delete(channel);
  }
}
