/** A run for people, in a few lines. */
import { table } from '../measuring/table.js';
import type { ResultFigure, RunResult } from './run-result.js';

export function summaryOf({ scenario, seed, figures, operations, verdict, warnings, cutShort }: RunResult): string[] {
  const rows = [
    ...figures.map((figure) => ({ what: figure.name, value: shown(figure), ...targetOf(figure) })),
    ...operations
      .filter(({ refused, unknown }) => refused + unknown > 0)
      .map(({ kind, refused, unknown }) => ({
        what: `${kind}: refused, without an answer`,
        value: `${refused}, ${unknown}`,
      })),
  ];
  return [
    ...table([{ says: `${scenario}, seed ${seed}`, rows }]).split('\n'),
    '',
    ...verdict.says,
    ...warnings.map((warning) => `note: ${warning}`),
    ...(cutShort === undefined ? [] : [`ended early: ${cutShort}`]),
  ];
}

function targetOf({ target }: ResultFigure): { readonly target?: string } {
  return target ? { target: `${target.says}${target.reached ? '' : '  (missed)'}` } : {};
}

function shown({ value, unit }: ResultFigure): string {
  if (value === null) return 'nothing to measure';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`;
}
