import { uptime } from 'node:os';
import { Clock, type Cancel } from '@homeport/core';

/** How often the two clocks are compared, and from where on they are apart. */
const COMPARE_EVERY_MS = 100;
const APART_MS = 100;

/** What the machine says of time, in ms. `uptimeMs` counts the time that the machine slept; undefined: nothing does. */
export interface Readings {
  readonly monotonicMs: () => number;
  readonly uptimeMs: (() => number) | undefined;
}

/** Elsewhere than on Linux the uptime is made from the wall clock, and macOS' monotonic clock counts sleep by itself. */
const MACHINE: Readings = {
  monotonicMs: () => performance.now(),
  uptimeMs: process.platform === 'linux' ? () => uptime() * 1_000 : undefined,
};

/**
 * Linux: the monotonic clock stands still while the machine is suspended, the uptime does not. Where they come apart the
 * machine was asleep, and the time that it slept is added. It is noticed within `COMPARE_EVERY_MS` of waking.
 */
export class SystemClock extends Clock {
  readonly #readings: Readings;
  readonly #startedMs: number;
  #comparedMs: number;
  #asleepMs = 0;

  constructor(readings = MACHINE) {
    super();
    this.#readings = readings;
    this.#comparedMs = readings.monotonicMs();
    this.#startedMs = (readings.uptimeMs?.() ?? 0) - this.#comparedMs;
  }

  override monotonicMs(): number {
    const { monotonicMs, uptimeMs } = this.#readings;
    const now = monotonicMs();
    if (uptimeMs !== undefined && now - this.#comparedMs >= COMPARE_EVERY_MS) {
      this.#comparedMs = now;
      const apartMs = uptimeMs() - now - this.#startedMs;
      if (apartMs - this.#asleepMs >= APART_MS) this.#asleepMs = apartMs;
    }
    return now + this.#asleepMs;
  }

  override wallMs(): number {
    return Date.now();
  }

  override after(delayMs: number, task: () => void): Cancel {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  }
}
