/** A run for people: a line per fault, then what the checker says. */
import { DUTIES } from '@homeport/protocol';
import { describe } from '../history/checker.js';
import type { Violation } from '../history/evidence.js';
import { gapsOf } from '../history/rules/availability.js';
import type { ChaosResult } from './chaos-run.js';

export interface FaultRow {
  readonly fault: string;
  readonly times: number;
  /** Between two acknowledgements of one writer in one document: the longest of each writer in each round. */
  readonly gapMs: Spread | undefined;
  readonly ownedMs: Spread | undefined;
  /** Refused for good, for another reason than a condition of their own. */
  readonly failedPushes: number;
  readonly staleReads: number;
  readonly violations: number;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A row for each kind of fault, in the order in which they first came; the calm time is the last. */
export function rowsOf({ rounds, evidence, verdict }: ChaosResult): FaultRow[] {
  const gaps = gapsOf(evidence);
  const ends = rounds.map(({ start }, i) => ({ start, end: rounds[i + 1]?.start ?? Infinity }));
  const failed = evidence.history.filter(
    (operation) =>
      operation.kind === 'push' &&
      operation.outcome === 'failed' &&
      operation.code !== 'conflict' &&
      DUTIES[operation.code] !== 'retry',
  );
  const rows = [...new Set(rounds.map(({ fault }) => fault))].map((fault): FaultRow => {
    const mine = rounds.map((round, i) => ({ round, time: ends[i]! })).filter(({ round }) => round.fault === fault);
    const isMine = (at: number | undefined): boolean =>
      at !== undefined && mine.some(({ time }) => at >= time.start && at < time.end);
    const violations = verdict.violations.filter(({ at }) => isMine(at));
    return {
      fault,
      times: mine.length,
      gapMs: spreadOf(gaps.filter(({ during }) => during?.fault === fault).map(({ ms }) => ms)),
      ownedMs: spreadOf(mine.flatMap(({ round }) => round.ownedAfterMs ?? [])),
      failedPushes: failed.filter(({ end }) => isMine(end)).length,
      staleReads: violations.filter(isStaleRead).length,
      violations: violations.length,
    };
  });
  const calm = { fault: '(calm)', times: 0, ownedMs: undefined, failedPushes: 0, staleReads: 0, violations: 0 };
  const gapMs = spreadOf(gaps.filter(({ during }) => during === undefined).map(({ ms }) => ms));
  return [...rows, { ...calm, gapMs }];
}

export function report(result: ChaosResult): string {
  const { verdict, failures, httpReads, shed, seed, rounds, ok, folder } = result;
  const head = [
    'fault',
    'times',
    'gap p50',
    'p99',
    'max ms',
    'owned p50',
    'p99',
    'max ms',
    'failed',
    'stale',
    'broken',
  ];
  const rows = rowsOf(result).map(({ fault, times, gapMs, ownedMs, failedPushes, staleReads, violations }) => [
    ...[fault, times === 0 ? '' : String(times), ...shown(gapMs), ...shown(ownedMs)],
    ...(times === 0 ? ['', '', ''] : [failedPushes, staleReads, violations].map(String)),
  ]);
  return [
    '',
    table([head, ...rows]),
    '',
    describe(verdict),
    `HTTP reads: ${httpReads.answered} answered, ${httpReads.unanswered} not; pushes that found no room: ${shed}`,
    ...failures.map((failure) => `FAILED: ${failure}`),
    `${ok ? 'PASSED' : 'FAILED'}: ${rounds.length} faults, seed ${seed}`,
    ...(ok ? [] : [`evidence: ${folder}`]),
  ].join('\n');
}

/** Undefined where nothing was measured. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)]!;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1)! };
}

function isStaleRead({ rule, says }: Violation): boolean {
  return rule === 4 || (rule === 5 && says.includes('was answered'));
}

function shown(spread: Spread | undefined): string[] {
  return spread ? [spread.p50, spread.p99, spread.max].map((ms) => String(Math.round(ms))) : ['', '', ''];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}
