import type { Clock } from '../runtime/clock.js';

/** Who is served here meanwhile goes in good order: a new owner is not stormed, and a drain of thousands takes 6 s. */
const SERVED_EVERY_MS = 3;
const SERVED_MAX_MS = 6_000;
/** Who is not served any more can not wait for long. */
const UNSERVED_EVERY_MS = 0.2;
const UNSERVED_MAX_MS = 250;

/** When each session goes to the new owner of a document that has moved: one after another, over all moves of this node. */
export class Departures {
  readonly #clock: Clock;
  readonly #served = { everyMs: SERVED_EVERY_MS, maxMs: SERVED_MAX_MS, nextMs: 0 };
  readonly #unserved = { everyMs: UNSERVED_EVERY_MS, maxMs: UNSERVED_MAX_MS, nextMs: 0 };
  #lastMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the last one has been asked to go, on the monotonic clock. */
  get lastMs(): number {
    return this.#lastMs;
  }

  afterMs(isServed: boolean): number {
    const nowMs = this.#clock.monotonicMs();
    const queue = isServed ? this.#served : this.#unserved;
    // Where the queue has come to its bound, those who follow go between those who went before.
    if (queue.nextMs < nowMs || queue.nextMs > nowMs + queue.maxMs) queue.nextMs = nowMs;
    const waitMs = Math.floor(queue.nextMs - nowMs);
    queue.nextMs += queue.everyMs;
    this.#lastMs = Math.max(this.#lastMs, nowMs + waitMs);
    return waitMs;
  }
}
