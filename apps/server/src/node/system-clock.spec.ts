import { describe, expect, it } from 'vitest';
import { SystemClock } from './system-clock.js';

/** A machine whose monotonic clock stands still while it sleeps. */
class Machine {
  #awakeMs = 5_000;
  #sleptMs = 0;
  uptimeErrorMs = 0;
  readonly monotonicMs = () => this.#awakeMs;
  readonly uptimeMs: () => number = () => this.#awakeMs + this.#sleptMs + this.uptimeErrorMs;

  run(ms: number): void {
    this.#awakeMs += ms;
  }

  sleep(ms: number): void {
    this.#sleptMs += ms;
  }
}

describe('SystemClock', () => {
  it('counts the time for which the machine was suspended, each time anew', () => {
    const machine = new Machine();
    const clock = new SystemClock(machine);
    const startedMs = clock.monotonicMs();
    for (const [slept, runs] of [
      [10_000, 10_100],
      [60_000, 70_200],
    ] as const) {
      machine.sleep(slept);
      machine.run(100);
      expect(clock.monotonicMs() - startedMs).toBe(runs);
    }
  });

  it('notices it at the first look of a tenth of a second, not before', () => {
    const machine = new Machine();
    const clock = new SystemClock(machine);
    const startedMs = clock.monotonicMs();
    machine.sleep(10_000);
    machine.run(99);
    expect(clock.monotonicMs() - startedMs).toBe(99);
    machine.run(1);
    expect(clock.monotonicMs() - startedMs).toBe(10_100);
  });

  it('takes no coarse or wavering uptime for sleep, and never goes back', () => {
    const machine = new Machine();
    const clock = new SystemClock(machine);
    const startedMs = clock.monotonicMs();
    let beforeMs = startedMs;
    for (let n = 1; n <= 200; n++) {
      machine.run(100);
      if (n === 100) machine.sleep(10_000);
      machine.uptimeErrorMs = [0, -40, 40, -9][n % 4]!;
      const nowMs = clock.monotonicMs();
      expect(nowMs).toBeGreaterThan(beforeMs);
      beforeMs = nowMs;
    }
    expect(Math.abs(beforeMs - startedMs - 30_000)).toBeLessThan(100);
  });

  it('believes the monotonic clock where no other counts sleep', () => {
    const { monotonicMs } = new Machine();
    const clock = new SystemClock({ monotonicMs, uptimeMs: undefined });
    expect(clock.monotonicMs()).toBe(monotonicMs());
  });
});
