import { expect, it } from 'vitest';
import { badResult, sampleResult } from '../../test/sample-result.js';
import type { RunResult } from '../load/run-result.js';
import type { Plot } from './plot.js';
import { paletteOf, plotsOf } from './plots.js';

function plotsById(result: RunResult): Map<string, Plot> {
  return new Map(plotsOf(result, paletteOf(result)).map((plot) => [plot.id, plot]));
}

it('a process that was dead leaves a gap, and one that was asked at another moment does not', () => {
  const cpu = plotsById(sampleResult()).get('cpu')!;
  const valuesOf = (name: string, from: number, until: number) => {
    const { values } = cpu.lines.find(({ label }) => label === name)!;
    return values.filter((_, i) => cpu.at[i]! >= from && cpu.at[i]! < until);
  };
  // Killed at 34 s, back at 42 s.
  expect(new Set(valuesOf('node-2', 35, 41))).toEqual(new Set(['gap']));
  expect(valuesOf('node-1', 1, 80)).not.toContain('gap');
  expect(valuesOf('node-2', 43, 80)).not.toContain('gap');
  expect(valuesOf('node-1', 1, 80)).toContain(null);
});

it('a name has the same colour in every plot, and two names have two', () => {
  const plots = [...plotsById(sampleResult()).values()];
  const colourOf = (id: string, label: string) =>
    plots.find((plot) => plot.id === id)!.lines.find((line) => line.label === label)!.colour;
  for (const node of ['node-1', 'node-2', 'node-3'])
    expect(new Set(['ownership', 'cpu', 'memory', 'lag'].map((id) => colourOf(id, node))).size).toBe(1);
  expect(colourOf('throughput', 'push')).toBe(colourOf('latency', 'push p99'));
  const cpu = plots.find(({ id }) => id === 'cpu')!;
  expect(new Set(cpu.lines.map(({ colour }) => colour)).size).toBe(cpu.lines.length);
});

it('every plot over time marks the warm-up and the faults', () => {
  for (const plot of plotsById(sampleResult()).values())
    if (plot.shape !== 'histogram')
      expect(plot.bands.map(({ label, from, until }) => [label, from, until])).toEqual([
        ['warm-up', 0, 5],
        ['kill node-2', 34, 42],
        ['drain node-3', 64, 66.4],
      ]);
});

it('a second without an answer is no latency of 0, and its throughput is 0', () => {
  const { series, ...rest } = sampleResult();
  const silent = series.map((moment, i) => (i === 3 ? { ...moment, kinds: [] } : moment));
  const plots = plotsById({ ...rest, series: silent });
  expect(plots.get('latency')!.lines.map(({ values }) => values[3])).toEqual(Array(6).fill('gap'));
  expect(plots.get('throughput')!.lines.map(({ values }) => values[3])).toEqual([0, 0, 0]);
});

it('what was never measured has no plot', () => {
  const nothing = { operations: [], series: [], ownership: [], processes: [] };
  expect(plotsById({ ...badResult(), ...nothing }).size).toBe(0);
  expect([...plotsById({ ...sampleResult(), ownership: [], processes: [] }).keys()]).toEqual([
    ...['throughput', 'latency', 'errors', 'histogram-0', 'histogram-1', 'histogram-2'],
  ]);
});
