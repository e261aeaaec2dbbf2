import { FanOut, type DocumentEvent } from '@homeport/core';
import type { DocumentId } from '@homeport/protocol';
import type { Heard, RecordingChannel } from './recording-channel.js';

/** A fan-out with rooms: what is delivered reaches the channels that are joined in that tick. */
export class RecordingFanOut extends FanOut {
  readonly #rooms = new Map<DocumentId, Set<RecordingChannel>>();
  readonly #relayed = new Map<DocumentId, Set<RecordingChannel>>();
  /** Everything that was delivered, in order: one line per encoding, however many received it. */
  readonly delivered: {
    readonly document: DocumentId;
    readonly message: Extract<Heard, { event: DocumentEvent }>;
    readonly receivers: number;
  }[] = [];

  /** What was published for the channels of other nodes, in order. */
  readonly published: {
    readonly document: DocumentId;
    readonly message: Extract<Heard, { event: DocumentEvent }>;
  }[] = [];

  deliver(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    const room = this.#rooms.get(document) ?? new Set();
    const message = { event, payload: JSON.parse(payloadText) } as Extract<Heard, { event: DocumentEvent }>;
    this.delivered.push({ document, message, receivers: room.size });
    for (const channel of room) channel.hear(message);
  }

  publish(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    const message = { event, payload: JSON.parse(payloadText) } as Extract<Heard, { event: DocumentEvent }>;
    this.published.push({ document, message });
  }

  deliverRelayed(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    const message = { event, payload: JSON.parse(payloadText) } as Extract<Heard, { event: DocumentEvent }>;
    for (const channel of this.#relayed.get(document) ?? []) channel.hear(message);
  }

  join(document: DocumentId, channel: RecordingChannel): void {
    const room = this.#rooms.get(document);
    if (room) room.add(channel);
    else this.#rooms.set(document, new Set([channel]));
  }

  joinRelayed(document: DocumentId, channel: RecordingChannel): void {
    this.#relayed.set(document, (this.#relayed.get(document) ?? new Set()).add(channel));
  }

  leave(document: DocumentId, channel: RecordingChannel): void {
    this.#rooms.get(document)?.delete(channel);
    this.#relayed.get(document)?.delete(channel);
  }

  leaveAll(channel: RecordingChannel): void {
    for (const room of [...this.#rooms.values(), ...this.#relayed.values()]) room.delete(channel);
  }

  isJoined(document: DocumentId, channel: RecordingChannel): boolean {
    return this.#rooms.get(document)?.has(channel) ?? false;
  }
}
