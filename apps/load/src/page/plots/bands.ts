import type { RunResult } from '../../load/run-result.js';
import type { PlotBand } from '../plot.js';

/** What is marked in every plot over time: the warm-up, and the faults. */
export function bandsOf({ faults, warmUpMs }: RunResult): PlotBand[] {
  const warmUp: PlotBand = { kind: 'warm-up', label: 'warm-up', from: 0, until: warmUpMs / 1_000 };
  return [
    ...(warmUpMs > 0 ? [warmUp] : []),
    ...faults.map(({ name, atMs, untilMs }): PlotBand => ({
      kind: 'fault',
      label: name,
      from: atMs / 1_000,
      until: untilMs / 1_000,
    })),
  ];
}
