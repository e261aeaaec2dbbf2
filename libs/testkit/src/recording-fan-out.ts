import { FanOut, type DocumentEvent } from '@homeport/core';
import type { DocumentId } from '@homeport/protocol';
import type { Heard, RecordingChannel } from './recording-channel.js';

/** A fan-out with rooms: what is delivered reaches the channels that are joined in that tick. */
export class RecordingFanOut extends FanOut {
  readonly #rooms = new Map<DocumentId, Set<RecordingChannel>>();
  /** Everything that was delivered, in order: one line per encoding, however many received it. */
  readonly delivered: {
    readonly document: DocumentId;
    readonly message: Extract<Heard, { event: DocumentEvent }>;
    readonly receivers: number;
  }[] = [];

  deliver(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    const room = this.#rooms.get(document) ?? new Set();
    const message = { event, payload: JSON.parse(payloadText) } as Extract<Heard, { event: DocumentEvent }>;
    this.delivered.push({ document, message, receivers: room.size });
    for (const channel of room) channel.hear(message);
  }

  join(document: DocumentId, channel: RecordingChannel): void {
    const room = this.#rooms.get(document);
    if (room) room.add(channel);
    else this.#rooms.set(document, new Set([channel]));
  }

  leave(document: DocumentId, channel: RecordingChannel): void {
    this.#rooms.get(document)?.delete(channel);
  }

  leaveAll(channel: RecordingChannel): void {
    for (const room of this.#rooms.values()) room.delete(channel);
  }

  isJoined(document: DocumentId, channel: RecordingChannel): boolean {
    return this.#rooms.get(document)?.has(channel) ?? false;
  }
}
