/** Exclusive locks on rows, held from the time they were taken to the end of a transaction: first come, first served. */
export class RowLocks {
  /** A row that is here is held; the list is who waits for it. */
  readonly #waiting = new Map<string, (() => void)[]>();

  async acquire(row: string): Promise<void> {
    const waiting = this.#waiting.get(row);
    if (waiting === undefined) this.#waiting.set(row, []);
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }

  release(row: string): void {
    const next = this.#waiting.get(row)?.shift();
    if (next) next();
    else this.#waiting.delete(row);
  }

  /** The server died: nothing is held any more, and whoever waits is woken to find that out. */
  clear(): void {
    const waiters = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    for (const wake of waiters) wake();
  }
}
