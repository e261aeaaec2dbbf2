import type { Moment } from '../../load/run-result.js';

export interface KindSeries {
  readonly kind: string;
  /** One for each moment; undefined where nothing of this kind went on. */
  readonly moments: readonly (Moment['kinds'][number] | undefined)[];
}

export function kindsOf(series: readonly Moment[]): KindSeries[] {
  const names = new Set(series.flatMap(({ kinds }) => kinds.map(({ kind }) => kind)));
  return [...names].map((kind) => ({
    kind,
    moments: series.map(({ kinds }) => kinds.find((one) => one.kind === kind)),
  }));
}
