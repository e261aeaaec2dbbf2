/** What a scenario makes its headline from. */
import type { KindCounts } from './tally.js';
import type { OperationStats, ProcessSeries, ResultFigure } from './run-result.js';
import { statsOf } from './timeline.js';

export interface Target {
  readonly says: string;
  readonly max: number;
}

export interface Measured {
  readonly operations: readonly OperationStats[];
  /** What was opened and furnished before time zero. */
  readonly joined: readonly KindCounts[];
  readonly processes: readonly ProcessSeries[];
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** What the direction of the scenario found out. */
  readonly found: readonly ResultFigure[];
  percentile(kind: string, which: 'p50' | 'p99' | 'max', target?: Target): ResultFigure;
  rate(kind: string): ResultFigure;
  cpuPerPush(): ResultFigure[];
  /** Refused for good, of this kind. */
  refused(kind: string, target?: Target): ResultFigure;
  /** Of the servers' event loops, at the worst. */
  serverLag(): ResultFigure[];
}

type Raw = Omit<Measured, 'percentile' | 'rate' | 'cpuPerPush' | 'refused' | 'serverLag'>;

export function measured(raw: Raw): Measured {
  const stats = [
    ...raw.operations,
    ...statsOf(raw.joined).filter(({ kind }) => !raw.operations.some((one) => one.kind === kind)),
  ];
  const of = (kind: string): OperationStats | undefined => stats.find((one) => one.kind === kind);
  const seconds = (raw.durationMs - raw.warmUpMs) / 1_000;
  return {
    ...raw,
    percentile: (kind, which, target) => figure(`${kind} ${which}`, of(kind)?.latency[which] ?? 0, 'ms', target),
    refused: (kind, target) => figure(`${kind}: refused`, of(kind)?.refused ?? 0, '', target),
    serverLag: () => {
      const points = raw.processes.filter(isServer).flatMap((series) => series.points);
      const lags = points.filter(({ atMs }) => atMs > raw.warmUpMs).map(({ loopLagMs }) => loopLagMs ?? 0);
      return lags.length === 0 ? [] : [figure('server event loop, longest delay', Math.max(...lags), 'ms')];
    },
    rate: (kind) => figure(`${kind} rate`, (of(kind)?.ok ?? 0) / seconds, 'per second'),
    cpuPerPush: () => {
      const pushes = of('push')?.ok ?? 0;
      const cpuMs = raw.processes.filter(isServer).reduce((sum, series) => sum + cpuMsOf(series, raw.warmUpMs), 0);
      return pushes === 0 || cpuMs === 0 ? [] : [figure('server CPU per push', (cpuMs * 1_000) / pushes, 'µs')];
    },
  };
}

export function figure(name: string, value: number, unit: string, target?: Target): ResultFigure {
  return { name, value, unit, ...(target && { target: { says: target.says, reached: value <= target.max } }) };
}

function isServer({ name }: ProcessSeries): boolean {
  return name.startsWith('node');
}

/** Each point says what was used since the one before it. */
function cpuMsOf({ points }: ProcessSeries, fromMs: number): number {
  let sum = 0;
  for (let i = 1; i < points.length; i++)
    if (points[i]!.atMs > fromMs) sum += points[i]!.cpuCores * (points[i]!.atMs - points[i - 1]!.atMs);
  return sum;
}
