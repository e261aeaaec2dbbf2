/**
 * What is asked of the documents of a slot while it is being handed over waits here, in order, and goes on when the gate
 * opens: here, if the slot stayed, or with the word where it went.
 */
import type { Clock } from '../runtime/clock.js';
import type { Slot } from './slot.js';

/** More than this wait for nothing, and nobody for longer than this: who does is told to come again. */
export const GATE_WAITING_MAX = 20_000;
export const GATE_WAIT_MS = 2_000;

interface Closed {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export class Gate {
  readonly #closed = new Map<Slot, Closed>();
  #waiting = 0;

  close(slots: readonly Slot[]): void {
    for (const slot of slots) {
      if (this.#closed.has(slot)) continue;
      let open = (): void => {};
      const opened = new Promise<void>((resolve) => (open = resolve));
      this.#closed.set(slot, { opened, open });
    }
  }

  open(slots: readonly Slot[]): void {
    for (const slot of slots) {
      this.#closed.get(slot)?.open();
      this.#closed.delete(slot);
    }
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#waiting;
  }

  isClosed(slot: Slot): boolean {
    return this.#closed.has(slot);
  }

  /** Resolves when the gate of the slot opens. `shut`: it did not in time, or too many wait. */
  passed(slot: Slot, clock: Clock): Promise<'open' | 'shut'> {
    const closed = this.#closed.get(slot);
    if (closed === undefined) return Promise.resolve('open');
    if (this.#waiting >= GATE_WAITING_MAX) return Promise.resolve('shut');
    this.#waiting++;
    const passed = new Promise<'open' | 'shut'>((resolve) => {
      const cancel = clock.after(GATE_WAIT_MS, () => resolve('shut'));
      void closed.opened.then(() => {
        cancel();
        resolve('open');
      });
    });
    return passed.finally(() => this.#waiting--);
  }
}
