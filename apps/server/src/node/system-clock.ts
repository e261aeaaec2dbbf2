import { uptime } from 'node:os';
import { Clock, type Cancel } from '@homeport/core';

/** How often the two clocks are compared, and from where on they are apart. */
const COMPARE_EVERY_MS = 100;
const APART_MS = 100;

/**
 * Linux: the monotonic clock stands still while the machine is suspended, the uptime does not. Where they come apart the
 * machine was asleep, and the time that it slept is added. It is noticed within `COMPARE_EVERY_MS` of waking.
 * Elsewhere the uptime is made from the wall clock, and macOS' monotonic clock counts sleep by itself.
 */
export class SystemClock extends Clock {
  readonly #startedMs = uptime() * 1_000 - performance.now();
  #comparedMs = performance.now();
  #asleepMs = 0;

  override monotonicMs(): number {
    const now = performance.now();
    if (process.platform === 'linux' && now - this.#comparedMs >= COMPARE_EVERY_MS) {
      this.#comparedMs = now;
      const apartMs = uptime() * 1_000 - now - this.#startedMs;
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
