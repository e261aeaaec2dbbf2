import type { DocumentId, ServerToClient } from '@homeport/protocol';
import type { Cancel, Clock } from '../runtime/clock.js';
import { frameText, type PlacedEntry } from './entry.js';

/** What everyone on a document is told, the same for all. */
export type DocumentEvent = Extract<keyof ServerToClient, 'entries' | 'presence' | 'head'>;

/** Hands a message to every channel that has joined the document. */
export abstract class FanOut {
  /**
   * `payloadText`: the event's payload as JSON, encoded once for all of them.
   * Fire and forget; at most once per channel, in the order of the calls. Never throws, never waits for a reader.
   * `presence` may be dropped for a channel that is behind; `entries` and `head` may not, while the channel is joined.
   */
  abstract deliver(document: DocumentId, event: DocumentEvent, payloadText: string): void;

  /** The same to the channels of other nodes that have joined the document as relayed. At most once; may be lost on the way. */
  abstract publish(document: DocumentId, event: DocumentEvent, payloadText: string): void;

  /** To the channels of this node that have joined a document of another node as relayed. */
  abstract deliverRelayed(document: DocumentId, event: DocumentEvent, payloadText: string): void;
}

/**
 * Makes frames of committed entries. The first leaves at once; while entries keep coming, those of one interval leave
 * together, so that a hot document costs its readers a bounded number of frames. An ack never waits for a frame.
 */
export class Frames {
  readonly #document: DocumentId;
  readonly #fanOut: FanOut;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** Until then somebody elsewhere hears what is published. */
  #relayedUntilMs = -Infinity;
  #held: PlacedEntry[] = [];
  #interval: Cancel | undefined;

  constructor(document: DocumentId, fanOut: FanOut, clock: Clock, intervalMs: number) {
    this.#document = document;
    this.#fanOut = fanOut;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  get isRelayed(): boolean {
    return this.#clock.monotonicMs() < this.#relayedUntilMs;
  }

  relayUntil(untilMs: number): void {
    this.#relayedUntilMs = Math.max(this.#relayedUntilMs, untilMs);
  }

  /** Entries that are committed, in order, right after those of the last call. */
  add(entries: readonly PlacedEntry[]): void {
    for (const entry of entries) this.#held.push(entry);
    if (this.#interval === undefined) this.#next();
  }

  /** Nobody who joins after this call gets a frame with an entry that was committed before it. */
  flush(): void {
    const entries = this.#held;
    if (entries.length === 0) return;
    this.#held = [];
    const range = `"document":"${this.#document}","from":${entries[0]!.seq},"to":${entries.at(-1)!.seq}`;
    const payloadText = `{${range},"entries":[${entries.map(frameText).join(',')}]}`;
    this.#fanOut.deliver(this.#document, 'entries', payloadText);
    if (this.isRelayed) this.#fanOut.publish(this.#document, 'entries', payloadText);
  }

  stop(): void {
    this.#interval?.();
    this.#held = [];
  }

  #next(): void {
    this.#interval = undefined;
    if (this.#held.length === 0) return;
    this.flush();
    this.#interval = this.#clock.after(this.#intervalMs, () => this.#next());
  }
}
