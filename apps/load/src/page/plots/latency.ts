import type { RunResult } from '../../load/run-result.js';
import type { Colours } from '../colours.js';
import type { Plot, PlotLine } from '../plot.js';
import { bandsOf } from './bands.js';
import { kindsOf } from './kinds.js';

export function latencyOf(result: RunResult, colours: Colours): Plot {
  const { series } = result;
  const lines = kindsOf(series).flatMap(({ kind, moments }) =>
    (['p50', 'p99'] as const).map((percentile): PlotLine => ({
      label: `${kind} ${percentile}`,
      colour: colours.of(kind),
      isDashed: percentile === 'p50',
      // A second without an answer has no latency: on a log scale it could not even be drawn.
      values: moments.map((moment) => (moment && moment[percentile] > 0 ? moment[percentile] : 'gap')),
    })),
  );
  return {
    id: 'latency',
    title: 'Latency',
    says: 'From the moment at which it was meant to be sent: p50 dashed, p99 solid, on a log scale.',
    shape: 'lines',
    at: series.map(({ atMs }) => atMs / 1_000),
    lines,
    unit: 'ms',
    scale: 'log',
    bands: bandsOf(result),
    marks: [],
    isWide: true,
  };
}
