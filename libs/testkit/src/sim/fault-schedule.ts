import type { SeededRandom } from '../seeded-random.js';
import type { FakeClock } from '../fake-clock.js';
import type { MemoryDatabase } from '../memory-database.js';
import type { SimNode } from './sim-node.js';

/** What faults befall. */
interface Struck {
  readonly world: FakeClock;
  readonly random: SeededRandom;
  readonly database: MemoryDatabase;
  readonly nodes: readonly SimNode[];
  tell(what: string): void;
}

/** The lease of a node, and then some. */
export const LEASE_MS = 1_000;

/** Faults, one after another or several at once, drawn from the seed of the run: at least three, each for its time. */
export abstract class FaultSchedule<Fault extends string> {
  readonly #struck: Struck;
  readonly #faults: readonly Fault[];
  readonly #pauseHighMs: number;
  #left: number;
  #busy = 0;
  #state: 'blowing' | 'healed' = 'blowing';

  protected constructor(struck: Struck, faults: readonly Fault[], countMax: number, pauseHighMs: number) {
    this.#struck = struck;
    this.#faults = faults;
    this.#pauseHighMs = pauseHighMs;
    this.#left = 3 + struck.random.int(countMax - 2);
    this.#next();
  }

  get isOver(): boolean {
    return this.#left === 0 && this.#busy === 0;
  }

  /** Nothing fails any more; what hangs goes on. */
  heal(): void {
    this.#state = 'healed';
    this.#struck.tell('all is healed');
    this.calm();
    this.#struck.database.start();
    for (const { process } of this.#struck.nodes) {
      process.killAfter(Infinity);
      process.resume();
    }
  }

  protected abstract blow(fault: Fault): void;

  /** Ends every fault that does not end by itself. */
  protected abstract calm(): void;

  protected until(fault: Fault, spanMs: number, end: () => void): void {
    this.#busy++;
    this.#struck.tell(`${fault} for ${spanMs.toFixed(0)} ms`);
    this.#struck.world.after(spanMs, () => {
      this.#busy--;
      if (this.#state === 'blowing') end();
    });
  }

  #next(): void {
    const { world, random } = this.#struck;
    world.after(random.between(100, this.#pauseHighMs), () => {
      if (this.#left === 0) return;
      this.#left--;
      this.blow(random.pick(this.#faults));
      this.#next();
    });
  }
}
