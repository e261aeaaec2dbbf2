/**
 * A comparison: of each work some rounds, and in each round each system has its turn, A B A B. A turn is one system at
 * one work; what it yields is a value for each figure of the work, and for a Homeport the verdict on its log.
 *
 * An interruption ends the turn under way; what the turns before it yielded is kept. A turn that fails ends its work:
 * its rounds would not compare any more.
 */
import type { ComparedWork } from './compare-result.js';
import type { Violation } from '../history/evidence.js';
import { checkLog, type Receipts } from './log-check.js';
import { ratiosOf } from './ratios.js';
import type { System } from './systems/system.js';
import { Turn } from './turn.js';
import { isFor, type Figure, type Value, type Work } from './work.js';

/** Of a core: beyond it, this process may have been what was measured. */
const GENERATOR_CORES_MAX = 0.9;

export interface ComparisonOptions {
  readonly works: readonly Work[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly tell: (line: string) => void;
  readonly interrupt: AbortSignal;
}

interface Column {
  readonly values: number[];
  readonly cpuMicros: number[];
}

export class Comparison {
  readonly #systems: readonly System[];
  readonly #options: ComparisonOptions;
  readonly #columns = new Map<Figure, Map<System, Column>>();
  readonly #warnings = new Set<string>();
  readonly violations: Violation[] = [];
  pushesChecked = 0;
  /** Works of which a turn failed. */
  failed = 0;
  cutShort: string | undefined;

  constructor(systems: readonly System[], options: ComparisonOptions) {
    this.#systems = systems;
    this.#options = options;
  }

  async play(): Promise<void> {
    for (const work of this.#options.works) {
      this.#options.tell(`${work.name}: ${work.says}`);
      await this.#playRounds(work);
      if (this.cutShort !== undefined) return;
    }
  }

  get works(): readonly ComparedWork[] {
    return [...this.#columns].map(([{ name, says, unit, better, pairings }, columns]) => {
      const byName = (of: keyof Column) =>
        Object.fromEntries(
          [...columns].filter(([, column]) => column[of].length > 0).map(([{ name }, column]) => [name, column[of]]),
        );
      const [values, cpuMicros] = [byName('values'), byName('cpuMicros')];
      const isCpuKnown = Object.keys(cpuMicros).length > 0;
      return {
        name,
        says,
        unit,
        better,
        values,
        ...(isCpuKnown && { cpuMicros }),
        ratios: ratiosOf(values, pairings),
      };
    });
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  async #playRounds(work: Work): Promise<void> {
    const systems = this.#systems.filter(({ name }) => isFor(work, [name]));
    for (let round = 1; round <= this.#options.rounds; round++)
      for (const system of systems) {
        const where = `${work.name}, round ${round}, ${system.name}`;
        try {
          const values = await this.#playTurn(work, system, round);
          this.#keep(work, system, values);
          this.#options.tell(`  ${where}: ${shown(work, values)}`);
        } catch (error) {
          if (this.#options.interrupt.aborted) {
            this.cutShort = `interrupted in ${where}`;
            return;
          }
          this.failed++;
          this.warn(`${where} failed, so this work ended: ${(error as Error).message}`);
          return;
        }
      }
  }

  async #playTurn(work: Work, system: System, round: number): Promise<Readonly<Record<string, Value>>> {
    const { quick, interrupt } = this.#options;
    const turn = new Turn(system, quick, `${work.name}-${round}-${system.name}`);
    try {
      return await unlessAborted(interrupt, work.play(turn));
    } finally {
      turn.end();
      for (const warning of turn.warnings) this.warn(warning);
      if (turn.generatorCores > GENERATOR_CORES_MAX)
        this.warn(`${work.name}, ${system.name}: the generator was busy all the time, and may have been the limit`);
      // After a turn that failed, too: it may have failed because something was lost.
      if (!interrupt.aborted && system.logUrl !== undefined) await this.#check(system.logUrl, turn.writers);
    }
  }

  async #check(logUrl: string, writers: readonly Receipts[]): Promise<void> {
    this.violations.push(...(await unlessAborted(this.#options.interrupt, checkLog(logUrl, writers))));
    for (const { acked } of writers) this.pushesChecked += acked.length;
  }

  #keep(work: Work, system: System, values: Readonly<Record<string, Value>>): void {
    for (const figure of work.figures) {
      const { value, cpuMicros } = values[figure.name]!;
      if (value === undefined) continue;
      const columns = this.#columns.get(figure) ?? new Map<System, Column>();
      const column = columns.get(system) ?? { values: [], cpuMicros: [] };
      column.values.push(value);
      if (cpuMicros !== undefined) column.cpuMicros.push(cpuMicros);
      this.#columns.set(figure, columns.set(system, column));
    }
  }

  /** What a reader must know before he believes a figure. */
  warn(warning: string): void {
    if (this.#warnings.has(warning)) return;
    this.#warnings.add(warning);
    this.#options.tell(`  warning: ${warning}`);
  }
}

function shown({ figures }: Work, values: Readonly<Record<string, Value>>): string {
  return figures
    .map(
      ({ name, unit }) =>
        `${name} ${values[name]!.value?.toLocaleString('en', { maximumFractionDigits: 2 }) ?? 'unknown'} ${unit}`,
    )
    .join('; ');
}

/** What `work` yields; rejects at once when it is interrupted, whatever `work` still waits for. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
