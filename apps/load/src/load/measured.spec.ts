import { expect, it } from 'vitest';
import { SCENARIOS } from '../scenarios/all.js';
import { figure, measured, type Measured } from './measured.js';
import type { Moment } from './run-result.js';
import { summaryOf } from './summary.js';
import { Tally } from './tally.js';
import { Timeline } from './timeline.js';
import { sampleResult } from '../../test/sample-result.js';

const TARGET = { says: '≤ 10 ms', max: 10 };

function pushes(atMs: number, perSecond: number): Moment {
  return { atMs, kinds: [{ kind: 'push', perSecond, errorsPerSecond: 0, p50: 1, p99: 2 }] };
}

function run(over: Partial<Measured> = {}): Measured {
  return measured({
    size: () => 0,
    ...{ operations: [], moments: [], joined: [], processes: [], warmUpMs: 1_000, durationMs: 4_050, found: [] },
    ...over,
  });
}

it('what never happened has no value, and reaches no target', () => {
  const nothing = { value: null, target: { reached: false } };
  expect(run().percentile('push', 'p99', TARGET)).toMatchObject(nothing);
  expect(run().refused('push', { says: 'none', max: 0 })).toMatchObject(nothing);
  expect(run().rate('push')).toMatchObject({ value: null });

  const tally = new Tally();
  tally.unknown('push');
  const timeline = new Timeline(1, 0);
  timeline.add(0, tally.take());
  const { operations } = timeline;
  expect(run({ operations }).percentile('push', 'p99', TARGET)).toMatchObject(nothing);
  expect(run({ operations }).refused('push', TARGET)).toMatchObject({ value: 0, target: { reached: true } });

  const lines = summaryOf({ ...sampleResult(), figures: [figure('push p99', null, 'ms', TARGET)] });
  expect(lines.join('\n')).toMatch(/push p99 +nothing to measure +.*\(missed\)/);
});

it('a server that was not asked has no event loop that was never late', () => {
  const points = [1, 2, 3].map((second) => ({ atMs: second * 1_000, cpuCores: 0.1, rssBytes: 1 }));
  expect(run({ processes: [{ name: 'node-1', points }] }).serverLag()).toEqual([]);
});

it('rates and what a push costs are of the measured time: neither the warm-up nor what settles is in them', () => {
  const moments = [pushes(0, 7), ...[1, 2, 3].map((second) => pushes(second * 1_000, 100)), pushes(4_000, 5_000)];
  const points = [1, 2, 3, 4].map((second) => ({ atMs: second * 1_000, cpuCores: 0.1, rssBytes: 1 }));
  const { rate, cpuPerPush } = run({ moments, processes: [{ name: 'node-1', points }] });
  expect(rate('push').value).toBe(100);
  expect(rate('read').value).toBe(0);
  expect(cpuPerPush()[0]!.value).toBeCloseTo(1_000);
});

it.each([
  ['boards', 'rate', 'push p99'],
  ['hot-board', 'people', 'deliver p99'],
  ['cold', 'records', 'large open: first page p50'],
])('%s is held to its target at the size that it is for, and at no other %s', (name, size, figure) => {
  const scenario = SCENARIOS.find((one) => one.name === name)!;
  const targetAt = (more: number): unknown => {
    const sizes = (one: string): number => scenario.sizes[one]!.preset + (one === size ? more : 0);
    return scenario.figures(run({ size: sizes })).find((one) => one.name === figure)!.target;
  };
  expect(targetAt(0)).toMatchObject({ reached: false });
  expect(targetAt(1)).toBeUndefined();
});
