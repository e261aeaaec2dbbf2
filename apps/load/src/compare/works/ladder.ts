/**
 * How large a board may get at 60 changes a second of each editor, which is what a drag sends: from 50 editors up to the
 * largest that is borne, or down to one that is.
 */
import type { Turn } from '../turn.js';
import { pairings, valueAtLeast, valueAtMost, type Work } from '../work.js';
import { playBoard } from './board.js';

const OPS_PER_SECOND = 60;
const START = 50;
const UP = [100, 150];
const DOWN = [25, 10];
const P99_MS_MAX = 100;
/** What a board that did not even deliver everything counts as. */
const NEVER_MS = 10_000;

export const ladder: Work = {
  name: 'ladder',
  says: `the largest board that is borne: ${[...DOWN].reverse().join(', ')}, ${START}, ${UP.join(', ')} editors × ${OPS_PER_SECOND} changes/s`,
  figures: [
    {
      name: 'largest board',
      says: `editors × ${OPS_PER_SECOND} changes/s with a propagation p99 of at most ${P99_MS_MAX} ms`,
      unit: 'editors',
      better: 'higher',
      pairings: pairings({ stateless: valueAtLeast(100, 'editors') }),
    },
    {
      name: 'busy board, propagation p99',
      says: `${START} editors × ${OPS_PER_SECOND} changes/s; ${NEVER_MS / 1_000} s stands for a board that did not deliver everything`,
      unit: 'ms',
      better: 'lower',
      pairings: pairings({ stateless: valueAtMost(50, 'ms') }),
    },
  ],
  async play(turn) {
    const startMs = await p99Ms(turn, START);
    let largest = 0;
    if (startMs <= P99_MS_MAX) {
      largest = START;
      for (const editors of UP) {
        if ((await p99Ms(turn, editors)) > P99_MS_MAX) break;
        largest = editors;
      }
    } else
      for (const editors of DOWN) {
        if ((await p99Ms(turn, editors)) > P99_MS_MAX) continue;
        largest = editors;
        break;
      }
    return { 'largest board': { value: largest }, 'busy board, propagation p99': { value: startMs } };
  },
};

async function p99Ms(turn: Turn, editors: number): Promise<number> {
  try {
    return (await playBoard(turn, { editors, opsPerSecond: OPS_PER_SECOND })).propagation.p99Ms;
  } catch (error) {
    turn.warnings.push(`${turn.system.name} with ${editors} editors: ${(error as Error).message}`);
    return NEVER_MS;
  }
}
