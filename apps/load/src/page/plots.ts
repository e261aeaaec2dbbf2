/** Which plots a run is shown in. A plot without a single value is left out. */
import type { RunResult } from '../load/run-result.js';
import { Colours } from './colours.js';
import type { Plot } from './plot.js';
import { histogramOf } from './plots/histogram.js';
import { latencyOf } from './plots/latency.js';
import { ownershipOf } from './plots/ownership.js';
import { cpuOf, loopLagOf, memoryOf } from './plots/processes.js';
import { errorsOf, throughputOf } from './plots/throughput.js';

/** Of the kinds of operations, and of the processes: each has one colour on the whole page. */
export interface Palette {
  readonly kinds: Colours;
  readonly processes: Colours;
}

export function paletteOf({ operations, series, processes, ownership }: RunResult): Palette {
  const palette = { kinds: new Colours(), processes: new Colours() };
  for (const { kind } of operations) palette.kinds.of(kind);
  for (const { kinds } of series) for (const { kind } of kinds) palette.kinds.of(kind);
  // The nodes first: they are in the most plots, and their colours are told apart best.
  for (const { slots } of ownership) for (const node of Object.keys(slots)) palette.processes.of(node);
  for (const { name } of processes) palette.processes.of(name);
  return palette;
}

export function plotsOf(result: RunResult, { kinds, processes }: Palette): Plot[] {
  const plots = [
    throughputOf(result, kinds),
    latencyOf(result, kinds),
    ownershipOf(result, processes),
    errorsOf(result, kinds),
    ...result.operations.map((operation, i) => histogramOf(operation, i, kinds)),
    cpuOf(result, processes),
    memoryOf(result, processes),
    loopLagOf(result, processes),
  ];
  return inPairs(
    plots.filter(({ lines }) => lines.some(({ values }) => values.some((value) => typeof value === 'number'))),
  );
}

/** Two halves stand side by side: a half without another is given the whole width. */
function inPairs(plots: readonly Plot[]): Plot[] {
  const halves = plots.filter(({ isWide }) => !isWide);
  const lone = halves.length % 2 === 1 ? halves.at(-1) : undefined;
  return plots.map((plot) => (plot === lone ? { ...plot, isWide: true } : plot));
}
