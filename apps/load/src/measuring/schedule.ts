/**
 * Open loop: when something is sent was decided before the run, and does not wait for answers. A generator that is late
 * sends at once and says for what time it was meant, so that the delay counts as latency and is not forgotten.
 */
export class Schedule {
  #timer: NodeJS.Timeout | undefined;
  readonly #startMs = performance.now();
  #next = 0;

  /** `send` gets the number of the event, 0, 1, 2 …, and the time it was meant for. */
  constructor(
    private readonly perSecond: number,
    private readonly send: (index: number, intendedMs: number) => void,
    /** The rate rises from nothing in this time. */
    private readonly rampMs = 0,
  ) {
    this.#tick();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    for (let due = this.#dueMs(); due <= now; due = this.#dueMs()) this.send(this.#next++, due);
    this.#timer = setTimeout(() => this.#tick(), 1);
  }

  #dueMs(): number {
    return this.#startMs + dueAfterMs(this.#next, this.perSecond, this.rampMs);
  }
}

/** When the event of this number comes, after the start: while the rate rises evenly, their count grows with the square of time. */
export function dueAfterMs(index: number, perSecond: number, rampMs: number): number {
  const inRamp = (perSecond * rampMs) / 2_000;
  if (index < inRamp) return Math.sqrt((2_000 * index * rampMs) / perSecond);
  return rampMs + ((index - inRamp) * 1_000) / perSecond;
}
