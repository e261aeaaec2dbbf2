/** What a scenario can do to the system while everybody works, and what it can say about it. */
import type { DocumentId } from '@homeport/protocol';
import { slotOf } from '@homeport/core';
import { nowMs } from '../history/operation.js';
import type { FaultTime } from '../history/evidence.js';
import type { ProcessFault, ProcessStage, Struck } from '../chaos/stage.js';
import type { Generators } from './generators.js';
import type { OwnSystem } from './own-system.js';
import type { FaultMark, ResultFigure } from './run-result.js';
import type { SizeOf } from './scenario.js';
import type { System } from './system.js';

export interface Strike extends Struck {
  /** The longest wait for an acknowledgement in each document of the node that was hit; in all of them, if none was. */
  readonly waitsMs: readonly number[];
}

interface Parts {
  readonly size: SizeOf;
  readonly system: System;
  readonly generators: Generators;
  readonly stage: Omit<ProcessStage, 'cluster' | 'watch'>;
  readonly startMs: number;
  /** When the run may end. */
  readonly endMs: number;
  readonly abort: AbortSignal;
}

/** A gap between acknowledgements may be as long as what was done, and this. */
const GAP_SLACK_MS = 15_000;

export class Direction {
  readonly size: SizeOf;
  readonly system: System;
  readonly marks: FaultMark[] = [];
  readonly times: FaultTime[] = [];
  readonly found: ResultFigure[] = [];
  readonly warnings: string[] = [];
  /** Why the run failed, whatever the checker says. */
  readonly failures: string[] = [];
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.size = parts.size;
    this.system = parts.system;
  }

  /** How long the run has still to go, at the least. */
  get leftMs(): number {
    return this.#parts.endMs - nowMs();
  }
  get own(): OwnSystem {
    const { own } = this.system;
    if (!own) throw new Error('this is for a cluster of the run’s own');
    return own;
  }

  /** Rejects when the run is ended before its time. */
  span(ms: number): Promise<void> {
    const { abort } = this.#parts;
    return new Promise((over, cut) => {
      if (abort.aborted) return cut(abort.reason as Error);
      const onAbort = (): void => {
        clearTimeout(timer);
        cut(abort.reason as Error);
      };
      const timer = setTimeout(() => {
        abort.removeEventListener('abort', onAbort);
        over();
      }, ms);
      abort.addEventListener('abort', onAbort);
    });
  }

  /** Every generator does it. */
  act(name: string): Promise<void> {
    return this.#parts.generators.act(name);
  }

  /** A fault of the house, as `during`. */
  strike(fault: ProcessFault): Promise<Strike> {
    const { cluster, watch } = this.own;
    return this.during(fault.name, () => fault.strike({ ...this.#parts.stage, cluster, watch }));
  }

  /** Does it, waits until everything that was due meanwhile is answered, and marks the time. */
  async during(name: string, task: () => Promise<Struck>): Promise<Strike> {
    const { generators, startMs } = this.#parts;
    await generators.waits();
    const owners = (await this.system.own?.watch.look())?.owners;
    const start = nowMs();
    const mark = (until: number, says: string): void =>
      void this.marks.push({ name, atMs: start - startMs, untilMs: until - startMs, says });
    let struck: Struck;
    try {
      struck = await task();
      await generators.flow();
    } catch (error) {
      this.times.push({ fault: name, start, end: nowMs(), gapLimitMs: nowMs() - start + GAP_SLACK_MS });
      mark(nowMs(), (error as Error).message.split('\n')[0]!);
      throw new Error(`${name}: ${(error as Error).message.split('\n')[0]}`, { cause: error });
    }
    const end = nowMs();
    this.times.push({ fault: name, start, end, gapLimitMs: end - start + GAP_SLACK_MS });
    mark(end, struck.did);
    if (struck.missed !== undefined) this.failures.push(`${name} did not happen: ${struck.missed}`);
    this.failures.push(...(struck.broke ?? []));
    const waits = [...(await generators.waits())];
    const { id } = struck;
    const isHit = (document: DocumentId): boolean => id === undefined || owners?.[slotOf(document)] === id;
    return { ...struck, waitsMs: waits.filter(([document]) => isHit(document)).map(([, ms]) => ms) };
  }
}
