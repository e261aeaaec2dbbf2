/** What each process took. They are looked at one after the other, so each has points of its own. */
import type { ProcessSeries, RunResult } from '../../load/run-result.js';
import type { Colours } from '../colours.js';
import type { Plot, PlotLine } from '../plot.js';
import { bandsOf } from './bands.js';

type Point = ProcessSeries['points'][number];

/** A process that was not seen for so many of its usual periods was not there. */
const PERIODS_AWAY = 3;

export function cpuOf(result: RunResult, colours: Colours): Plot {
  const says = 'What each process took; 1 is one whole core.';
  return plot(result, colours, { id: 'cpu', title: 'CPU', says, unit: 'cores' }, ({ cpuCores }) => cpuCores);
}

export function memoryOf(result: RunResult, colours: Colours): Plot {
  const says = 'Resident memory of each process.';
  const about = { id: 'memory', title: 'Memory', says, unit: 'MB' };
  return plot(result, colours, about, ({ rssBytes }) => rssBytes / 2 ** 20);
}

export function loopLagOf(result: RunResult, colours: Colours): Plot {
  const says = 'The longest that anything had to wait for its turn in a process.';
  return plot(result, colours, { id: 'lag', title: 'Event loop lag', says, unit: 'ms' }, ({ loopLagMs }) => loopLagMs);
}

function plot(
  result: RunResult,
  colours: Colours,
  about: Pick<Plot, 'id' | 'title' | 'says' | 'unit'>,
  valueOf: (point: Point) => number | undefined,
): Plot {
  const asked = result.processes
    .map(({ name, points }) => ({ name, points: points.filter((point) => valueOf(point) !== undefined) }))
    .filter(({ points }) => points.length > 0);
  const at = [...new Set(asked.flatMap(({ points }) => points.map(({ atMs }) => atMs)))].sort((a, b) => a - b);
  return {
    ...about,
    shape: 'lines',
    at: at.map((atMs) => atMs / 1_000),
    lines: asked.map(({ name, points }) => {
      const values = valuesAt(at, points, valueOf);
      return { label: name, colour: colours.of(name), isDashed: false, values };
    }),
    scale: 'linear',
    bands: bandsOf(result),
    marks: [],
    isWide: false,
  };
}

function valuesAt(
  at: readonly number[],
  points: readonly Point[],
  valueOf: (point: Point) => number | undefined,
): PlotLine['values'] {
  const own = new Map(points.map((point) => [point.atMs, valueOf(point)!]));
  const steps = points.slice(1).map(({ atMs }, i) => atMs - points[i]!.atMs);
  const awayMs = PERIODS_AWAY * (steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? Infinity);
  let next = 0;
  return at.map((atMs) => {
    const value = own.get(atMs);
    if (value !== undefined) {
      next++;
      return value;
    }
    const from = points[next - 1]?.atMs ?? -Infinity;
    const until = points[next]?.atMs ?? Infinity;
    return until - from > awayMs ? 'gap' : null;
  });
}
