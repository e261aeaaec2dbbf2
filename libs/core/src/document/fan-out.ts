import type { DocumentId, Entry, ServerToClient } from '@homeport/protocol';
import type { Cancel, Clock } from '../runtime/clock.js';

/** A message to everyone on a document: the same for all, encoded once. */
export type DocumentMessage = {
  [Event in 'entries' | 'presence' | 'head']: {
    readonly event: Event;
    readonly payload: Parameters<ServerToClient[Event]>[0];
  };
}['entries' | 'presence' | 'head'];

/** Hands a message to every channel that has joined the document. */
export abstract class FanOut {
  /**
   * Fire and forget; at most once per channel, in the order of the calls. Never throws, never waits for a reader.
   * `presence` may be dropped for a channel that is behind; `entries` and `head` may not, while the channel is joined.
   */
  abstract deliver(document: DocumentId, message: DocumentMessage): void;
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
  #held: Entry[] = [];
  #interval: Cancel | undefined;

  constructor(document: DocumentId, fanOut: FanOut, clock: Clock, intervalMs: number) {
    this.#document = document;
    this.#fanOut = fanOut;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Entries that are committed, in order, right after those of the last call. */
  add(entries: readonly Entry[]): void {
    for (const entry of entries) this.#held.push(entry);
    if (this.#interval === undefined) this.#next();
  }

  /** Nobody who joins after this call gets a frame with an entry that was committed before it. */
  flush(): void {
    const entries = this.#held;
    if (entries.length === 0) return;
    this.#held = [];
    this.#fanOut.deliver(this.#document, {
      event: 'entries',
      payload: { document: this.#document, from: entries[0]!.seq, to: entries.at(-1)!.seq, entries },
    });
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
