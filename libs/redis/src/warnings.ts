const PAUSE_MS = 1_000;

/** Lines for the operator, at most one a second: while Redis is away every message fails, and one line says as much. */
export class Warnings {
  #lastMs = -Infinity;
  #unsaid = 0;

  constructor(private readonly warn: (line: string) => void) {}

  say(line: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastMs < PAUSE_MS) {
      this.#unsaid++;
      return;
    }
    this.warn(this.#unsaid === 0 ? line : `${line} (and ${this.#unsaid} more)`);
    this.#lastMs = nowMs;
    this.#unsaid = 0;
  }
}
