import { expect, it } from 'vitest';
import type { GeneratorSecond } from './messages.js';
import { warningsOf } from './warnings.js';

const CALM: GeneratorSecond = {
  ...{ second: 0, counts: [], cpuCores: 0.2, rssBytes: 1, loopLagMs: 1, lateMs: 2, waiting: 0 },
};

function warned(second: Partial<GeneratorSecond>, loadBefore = 0): string[] {
  const seconds = Array.from({ length: 20 }, (_, i) => ({ ...CALM, ...second, second: i }));
  const points = seconds.map(({ cpuCores, second: at }) => ({ atMs: (at + 1) * 1_000, cpuCores, rssBytes: 1 }));
  return warningsOf({
    ...{ seconds, warmUpMs: 5_000, loadBefore, cores: 2 },
    processes: [{ name: 'generator-1', points }],
  });
}

it('a run warns when the generator, not the server, was the limit', () => {
  expect(warned({})).toEqual([]);
  expect(warned({ cpuCores: 0.97 })).toEqual([expect.stringContaining('generator-1 used 97 % of a core')]);
  expect(warned({ lateMs: 80 })).toEqual([expect.stringContaining('15 of 15 seconds')]);
  expect(warned({ waiting: 12 })).toEqual([expect.stringContaining('up to 12 pushes')]);
  expect(warned({}, 1.5)).toEqual([expect.stringContaining('busy before the run')]);
});
