import type { RunVerdict } from '../load/run-result.js';
import type { Machine } from '../measuring/machine.js';

/** What a comparison leaves behind: systems in turns on one machine, so that what counts is the ratio within each round. */
export interface CompareResult {
  readonly format: 'homeport-compare/1';
  readonly startedAt: string;
  readonly durationMs: number;
  readonly machine: Machine;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** In the order in which each round plays them. */
  readonly systems: readonly { readonly name: string; readonly says: string }[];
  readonly works: readonly ComparedWork[];
  readonly warnings: readonly string[];
  readonly verdict: RunVerdict;
  readonly cutShort?: string;
}

/** One kind of work, measured of each system in every round. */
export interface ComparedWork {
  readonly name: string;
  readonly says: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Of each system, by name: its value in each round, and perhaps the server's CPU per operation in microseconds. */
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly cpuMicros?: Readonly<Record<string, readonly number[]>>;
  readonly ratios: readonly {
    readonly of: string;
    readonly over: string;
    readonly median: number;
    readonly min: number;
    readonly max: number;
    readonly target?: { readonly says: string; readonly reached: boolean };
  }[];
}
