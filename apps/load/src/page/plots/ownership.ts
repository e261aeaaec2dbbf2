import type { RunResult } from '../../load/run-result.js';
import type { Colours } from '../colours.js';
import type { Plot } from '../plot.js';
import { bandsOf } from './bands.js';

export function ownershipOf(result: RunResult, colours: Colours): Plot {
  const { ownership, durationMs } = result;
  const last = ownership.at(-1);
  // What was so at the last look stayed so until the end.
  const moments = last && last.atMs < durationMs ? [...ownership, { ...last, atMs: durationMs }] : ownership;
  const nodes = [...new Set(moments.flatMap(({ slots }) => Object.keys(slots)))];
  return {
    id: 'ownership',
    title: 'Ownership',
    says: 'How many slots each node was the owner of.',
    shape: 'stack',
    at: moments.map(({ atMs }) => atMs / 1_000),
    lines: nodes.map((node) => ({
      label: node,
      colour: colours.of(node),
      isDashed: false,
      values: moments.map(({ slots }) => slots[node] ?? 0),
    })),
    unit: 'slots',
    scale: 'linear',
    bands: bandsOf(result),
    marks: [],
    isWide: true,
  };
}
