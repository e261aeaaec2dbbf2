import type { Cancel, Clock } from '../src/clock.js';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** Time that stands still until it is moved. Timers of one moment run in the order in which they were set. */
export class FakeClock implements Clock {
  #nowMs = 1_000;
  #order = 0;
  #timers: Timer[] = [];
  #soon: (() => void)[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  after(delayMs: number, task: () => void): Cancel {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, task };
    const index = this.#timers.findLastIndex(({ atMs }) => atMs <= timer.atMs) + 1;
    this.#timers.splice(index, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  /** What is due soon, then microtasks, until nothing more comes. */
  async settle(rounds = 4): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      this.runSoon();
      await Promise.resolve();
    }
    this.runSoon();
  }

  runSoon(): void {
    for (let task = this.#soon.shift(); task !== undefined; task = this.#soon.shift()) task();
  }

  /** Runs the next timer up to `limitMs`; false: there is none, and now is `limitMs`. */
  async step(limitMs: number): Promise<boolean> {
    await this.settle();
    // A chain of promises may be about to set a timer.
    if (!this.#isDue(limitMs)) await this.settle(20);
    const next = this.#timers[0];
    if (next === undefined || next.atMs > limitMs) {
      this.#nowMs = Math.max(this.#nowMs, limitMs);
      return false;
    }
    this.#timers.shift();
    this.#nowMs = next.atMs;
    next.task();
    return true;
  }

  #isDue(limitMs: number): boolean {
    return (this.#timers[0]?.atMs ?? Infinity) <= limitMs;
  }

  async advance(byMs: number): Promise<void> {
    const limitMs = this.#nowMs + byMs;
    while (await this.step(limitMs));
    await this.settle();
  }
}
