import type { Clock } from './clock.js';
import type { AckSample } from './status.js';

export const ACK_SAMPLES_MAX = 120;

/** The latest acknowledgement latencies. `latest` is replaced, never changed in place. */
export class AckSamples {
  readonly #clock: Clock;
  #latest: readonly AckSample[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get latest(): readonly AckSample[] {
    return this.#latest;
  }

  add(tookMs: number): void {
    this.#latest = [...this.#latest.slice(1 - ACK_SAMPLES_MAX), { at: this.#clock.wallMs(), tookMs }];
  }
}
