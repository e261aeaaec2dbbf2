/** What a reader must know before he believes a figure. */
import type { GeneratorSecond } from './messages.js';
import type { ProcessSeries } from './run-result.js';

interface Signs {
  readonly processes: readonly ProcessSeries[];
  readonly seconds: readonly GeneratorSecond[];
  readonly warmUpMs: number;
  /** Of the machine, before anything was started. */
  readonly loadBefore: number;
  readonly cores: number;
}

const BUSY_CORES = 0.85;
const LATE_MS = 25;
/** One bad second is an accident. */
const LATE_SHARE = 0.1;

export function warningsOf({ processes, seconds, warmUpMs, loadBefore, cores }: Signs): string[] {
  const warnings: string[] = [];
  const generators = processes.filter(({ name }) => name.startsWith('generator'));
  for (const { name, points } of generators) {
    const cpu = mean(points.filter(({ atMs }) => atMs > warmUpMs).map(({ cpuCores }) => cpuCores));
    if (cpu > BUSY_CORES)
      warnings.push(
        `${name} used ${Math.round(cpu * 100)} % of a core: it was the limit, not the server; spread the people over more with --generators`,
      );
  }
  const measured = seconds.filter(({ second }) => second * 1_000 >= warmUpMs);
  const late = measured.filter(({ lateMs }) => lateMs > LATE_MS);
  if (late.length > measured.length * LATE_SHARE)
    warnings.push(
      `in ${late.length} of ${measured.length} seconds a generator sent what was due more than ${LATE_MS} ms late, ` +
        `${Math.round(Math.max(...late.map(({ lateMs }) => lateMs)))} ms at the worst: latencies hold that, too`,
    );
  const waiting = Math.max(0, ...measured.map((one) => one.waiting));
  if (waiting > 0) warnings.push(`up to ${waiting} pushes had to wait for room in the window of their session`);
  if (loadBefore > cores / 2)
    warnings.push(`the machine was busy before the run: load ${loadBefore.toFixed(1)} on ${cores} cores`);
  return warnings;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
