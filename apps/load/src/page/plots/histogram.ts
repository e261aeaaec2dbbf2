import type { OperationStats } from '../../load/run-result.js';
import type { Colours } from '../colours.js';
import type { Plot } from '../plot.js';
import { counted, inMs } from '../words.js';

/** Where the first bucket begins is not told: it is drawn this much narrower than where it ends. */
const FIRST_BUCKET_PART = 0.8;

export function histogramOf({ kind, ok, latency }: OperationStats, index: number, colours: Colours): Plot {
  const buckets = latency.buckets.filter(({ upToMs }) => upToMs > 0);
  const start = (buckets[0]?.upToMs ?? 1) * FIRST_BUCKET_PART;
  const { p50, p90, p99, p999, max } = latency;
  const marks = { p50, p90, p99, 'p99.9': p999, max };
  return {
    id: `histogram-${index}`,
    title: `Latency of ${kind}`,
    says: `${counted(ok, 'answer')} after the warm-up; both scales are logarithmic, so that a single slow one is seen.`,
    shape: 'histogram',
    at: [start, ...buckets.map(({ upToMs }) => upToMs)],
    lines: [
      {
        label: kind,
        colour: colours.of(kind),
        isDashed: false,
        values: buckets.length === 0 ? [] : [0, ...buckets.map(({ count }) => count)],
      },
    ],
    unit: 'answers',
    scale: 'log',
    bands: [],
    marks: Object.entries(marks).flatMap(([label, at]) => (at > 0 ? [{ label: `${label} ${inMs(at)}`, at }] : [])),
    isWide: false,
  };
}
