import { Rate, type Clock } from '@homeport/core';

const REFILL_MS = 1_000;
const KEYS_MAX = 20_000;

/**
 * A rate for each key: for each address, each user.
 *
 * A rate that nobody used for a second is as good as new, so it is forgotten and nothing is lost. Keys of the present
 * second and those of the one before are kept. Where more keys come in a second than are kept, the second is taken to be
 * over: then somebody may get more than their share, and nobody less.
 */
export class KeyedRates {
  #present = new Map<string, Rate>();
  #past = new Map<string, Rate>();
  #sinceMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number,
    private readonly keysMax = KEYS_MAX,
  ) {
    this.#sinceMs = clock.monotonicMs();
  }

  /** 0: take it as allowed. Else the ms after which to ask again. */
  take(key: string): number {
    let rate = this.#present.get(key);
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#sinceMs >= REFILL_MS || (rate === undefined && this.#present.size >= this.keysMax)) {
      this.#past = this.#present;
      this.#present = new Map();
      this.#sinceMs = nowMs;
      rate = undefined;
    }
    if (rate === undefined) {
      rate = this.#past.get(key) ?? new Rate(this.clock, this.perSecond);
      this.#present.set(key, rate);
    }
    return rate.take();
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#present.size + this.#past.size;
  }
}
