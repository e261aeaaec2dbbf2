/**
 * The one driver of time in tests.
 *
 * It owns the world's time, which moves only inside `advance` and `until`. Timers fire in the order in which they are
 * due, those due at the same instant in the order in which they were set, and between two of them everything that the
 * first one set off has come to rest: no promise that could go on is left waiting. The same script gives the same run.
 *
 * A process under test gets a clock of its own (`process`), which may run fast or slow and which dies with it.
 */
import { Clock, type Cancel } from '@homeport/core';

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

export class FakeClock extends Clock {
  #nowMs = 0;
  /** Sorted by due time; equal ones by age. */
  readonly #timers: Timer[] = [];
  readonly #wallStartMs = Date.UTC(2026, 0, 1);

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  after(delayMs: number, task: () => void): Cancel {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), task };
    const later = this.#timers.findIndex((other) => other.dueMs > timer.dueMs);
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** The clock of one process. `rate` 1.01 runs one per cent fast. */
  process(rate = 1): ProcessClock {
    return new ProcessClock(this, rate);
  }

  /** Lets everything that can go on without time passing go on. */
  settle(): Promise<void> {
    // A turn of the event loop begins only when the queue of microtasks is empty, however long their chains are.
    return new Promise((resolve) => setImmediate(resolve));
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    while (await this.#step(endMs));
    this.#nowMs = endMs;
  }

  /** Moves on until `holds`, at most `limitMs`; rejects with what did not come. */
  async until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    await this.settle();
    while (!holds()) {
      if (!(await this.#step(endMs))) throw new Error(`did not come within ${limitMs} ms: ${what}`);
    }
  }

  /** Moves on until the promise is settled, at most `limitMs`, and gives what it gave. */
  async outcome<T>(what: string, promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.until(what, () => settled, limitMs);
    return promise;
  }

  /** Lets time pass by itself, for a test that does not steer it; the answer ends that. */
  run(): () => Promise<void> {
    let isRunning = true;
    const running = (async () => {
      while (isRunning) await this.advance(1);
    })();
    return () => {
      isRunning = false;
      return running;
    };
  }

  /** How many timers are set: a process that ended well leaves none behind. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  async #step(endMs: number): Promise<boolean> {
    const next = this.#timers[0];
    if (next === undefined || next.dueMs > endMs) return false;
    this.#timers.shift();
    this.#nowMs = next.dueMs;
    next.task();
    await this.settle();
    return true;
  }
}

/** Time as one process sees it. */
export class ProcessClock extends Clock {
  readonly #world: Clock;
  readonly #rate: number;
  readonly #startMs: number;
  #running = true;

  constructor(world: Clock, rate: number) {
    super();
    this.#world = world;
    this.#rate = rate;
    this.#startMs = world.monotonicMs();
  }

  monotonicMs(): number {
    return (this.#world.monotonicMs() - this.#startMs) * this.#rate;
  }

  wallMs(): number {
    return this.#world.wallMs();
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.#world.after(delayMs / this.#rate, () => {
      if (this.#running) task();
    });
  }

  /** The process died: none of its timers fires any more. */
  stop(): void {
    this.#running = false;
  }
}
