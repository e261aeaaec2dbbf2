import type { Moment, RunResult } from '../../load/run-result.js';
import type { Colours } from '../colours.js';
import type { Plot } from '../plot.js';
import { bandsOf } from './bands.js';
import { kindsOf } from './kinds.js';

export function throughputOf(result: RunResult, colours: Colours): Plot {
  const about = { id: 'throughput', title: 'Throughput', says: 'What was answered, in each second.', isWide: true };
  return { ...about, ...perSecond(result, colours, ({ perSecond }) => perSecond) };
}

/** Without a line if there was no error. */
export function errorsOf(result: RunResult, colours: Colours): Plot {
  const says = 'What was refused, or left without an answer, in each second.';
  const plot = perSecond(result, colours, ({ errorsPerSecond }) => errorsPerSecond);
  const lines = plot.lines.filter(({ values }) => values.some((count) => count !== 0));
  return { id: 'errors', title: 'Errors', says, isWide: false, ...plot, lines };
}

function perSecond(
  result: RunResult,
  colours: Colours,
  valueOf: (moment: Moment['kinds'][number]) => number,
): Omit<Plot, 'id' | 'title' | 'says' | 'isWide'> {
  const lines = kindsOf(result.series).map(({ kind, moments }) => {
    const values = moments.map((moment) => (moment ? valueOf(moment) : 0));
    return { label: kind, colour: colours.of(kind), isDashed: false, values };
  });
  return {
    shape: 'lines',
    at: result.series.map(({ atMs }) => atMs / 1_000),
    lines,
    unit: 'per second',
    scale: 'linear',
    bands: bandsOf(result),
    marks: [],
  };
}
