import type { Machine } from '../measuring/machine.js';

/**
 * What a load run leaves behind: `result.json`, and what the page with the plots is drawn from.
 *
 * Times called `atMs` count from the start of the run on the machine's monotonic clock. Latencies count from the moment
 * at which something was meant to be sent, and are in milliseconds. The file is for whoever comes later: it names its
 * format, and holds everything that is shown.
 */
export interface RunResult {
  readonly format: 'homeport-load/1';
  readonly scenario: string;
  /** One sentence: what was done to whom. */
  readonly says: string;
  readonly seed: number;
  /** Wall clock, ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** What came before counts for nothing but the checker. */
  readonly warmUpMs: number;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly machine: Machine;
  readonly system: { readonly kind: 'own' | 'url'; readonly urls: readonly string[] };
  /** The headline: what this scenario is for, each with its target where the project has one. */
  readonly figures: readonly ResultFigure[];
  readonly operations: readonly OperationStats[];
  readonly series: readonly Moment[];
  readonly faults: readonly FaultMark[];
  readonly ownership: readonly OwnershipMoment[];
  readonly processes: readonly ProcessSeries[];
  readonly verdict: RunVerdict;
  /** What a reader must know before he believes a figure, such as that the generator was the limit. */
  readonly warnings: readonly string[];
  /** Why the run ended early, if it did. */
  readonly cutShort?: string;
}

export interface ResultFigure {
  readonly name: string;
  /** Null: it never happened, so there is nothing to measure, and no target that is reached. */
  readonly value: number | null;
  readonly unit: string;
  readonly target?: { readonly says: string; readonly reached: boolean };
}

/** Everything of one kind (`push`, `read`, `deliver`, `open` …) after the warm-up. */
export interface OperationStats {
  readonly kind: string;
  readonly ok: number;
  readonly refused: number;
  readonly unknown: number;
  readonly latency: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
    /** Of the histogram: so many up to this many milliseconds and above the bucket before. */
    readonly buckets: readonly { readonly upToMs: number; readonly count: number }[];
  };
}

/** One second of the run. */
export interface Moment {
  readonly atMs: number;
  readonly kinds: readonly {
    readonly kind: string;
    readonly perSecond: number;
    readonly errorsPerSecond: number;
    readonly p50: number;
    readonly p99: number;
  }[];
}

export interface FaultMark {
  readonly name: string;
  readonly atMs: number;
  readonly untilMs: number;
  readonly says: string;
}

/** How many slots each node had. */
export interface OwnershipMoment {
  readonly atMs: number;
  readonly slots: Readonly<Record<string, number>>;
}

export interface ProcessSeries {
  /** `node-1`, `generator-1`, `postgres` … */
  readonly name: string;
  readonly points: readonly {
    readonly atMs: number;
    /** 1 is one whole core. */
    readonly cpuCores: number;
    readonly rssBytes: number;
    /** Largest delay of the event loop since the point before; absent where it can not be asked. */
    readonly loopLagMs?: number;
  }[];
}

export interface RunVerdict {
  readonly ok: boolean;
  /** Lines for people, as the checker words them. */
  readonly says: readonly string[];
  readonly violations: readonly { readonly rule: number; readonly document: string; readonly says: string }[];
}
