/** What a scenario makes its headline from. */
import type { KindCounts } from './tally.js';
import type { Moment, OperationStats, ProcessSeries, ResultFigure } from './run-result.js';
import type { SizeOf } from './scenario.js';
import { statsOf } from './timeline.js';

const MOMENT_MS = 1_000;
/** A timer comes up to so much before its time. */
const TIMER_EARLY_MS = 2;

export interface Target {
  readonly says: string;
  readonly max: number;
}

export interface Measured {
  /** What was asked for: a target is for a load of one size. */
  readonly size: SizeOf;
  readonly operations: readonly OperationStats[];
  readonly moments: readonly Moment[];
  /** What was opened and furnished before time zero. */
  readonly joined: readonly KindCounts[];
  readonly processes: readonly ProcessSeries[];
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** What the direction of the scenario found out. */
  readonly found: readonly ResultFigure[];
  percentile(kind: string, which: 'p50' | 'p99' | 'max', target?: Target): ResultFigure;
  /** Over the seconds that lie in the measured time as a whole: what is answered while all settles is not part of it. */
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
  const { warmUpMs, durationMs } = raw;
  const endMs = durationMs + TIMER_EARLY_MS;
  const whole = raw.moments.filter(({ atMs }) => atMs >= warmUpMs && atMs + MOMENT_MS <= endMs);
  const during = (kind: string): number =>
    whole.reduce((sum, { kinds }) => sum + (kinds.find((one) => one.kind === kind)?.perSecond ?? 0), 0);
  const servers = raw.processes.filter(isServer);
  return {
    ...raw,
    percentile: (kind, which, target) => {
      const stats = of(kind);
      return figure(`${kind} ${which}`, stats && stats.ok > 0 ? stats.latency[which] : null, 'ms', target);
    },
    refused: (kind, target) => figure(`${kind}: refused`, of(kind)?.refused ?? null, '', target),
    serverLag: () => {
      const points = servers.flatMap((series) => series.points).filter(({ atMs }) => atMs > warmUpMs);
      const lags = points.flatMap(({ loopLagMs }) => loopLagMs ?? []);
      return lags.length === 0 ? [] : [figure('server event loop, longest delay', Math.max(...lags), 'ms')];
    },
    rate: (kind) => figure(`${kind} rate`, whole.length > 0 ? during(kind) / whole.length : null, 'per second'),
    cpuPerPush: () => {
      const pushes = during('push');
      const cpuMs = servers.reduce((sum, series) => sum + cpuMsOf(series, warmUpMs), 0);
      return pushes === 0 || cpuMs === 0 ? [] : [figure('server CPU per push', (cpuMs * 1_000) / pushes, 'µs')];
    },
  };
}

/** `value` null: there is nothing to measure. */
export function figure(name: string, value: number | null, unit: string, target?: Target): ResultFigure {
  const reached = (max: number): boolean => value !== null && value <= max;
  return { name, value, unit, ...(target && { target: { says: target.says, reached: reached(target.max) } }) };
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
