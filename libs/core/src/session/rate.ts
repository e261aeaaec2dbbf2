import type { Clock } from '../runtime/clock.js';

/** A token bucket: `perSecond` on average, a second's worth at once. */
export class Rate {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #tokens: number;
  #atMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#atMs = clock.monotonicMs();
  }

  /** 0: take it as allowed. Else the ms after which to ask again. */
  take(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((nowMs - this.#atMs) * this.#perSecond) / 1_000);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1_000) / this.#perSecond);
    this.#tokens -= 1;
    return 0;
  }
}
