/**
 * How large a board may get at 60 changes a second of each editor, which is what a drag sends. Up to 50 editors each
 * system is measured, so that they compare; beyond, only while it bears what came before.
 */
import type { Turn } from '../turn.js';
import { pairings, valueAtLeast, valueAtMost, type Work } from '../work.js';
import { playBoard } from './board.js';

const OPS_PER_SECOND = 60;
const STEPS = [10, 25, 50, 100, 150];
const BUSY = 50;
/** Where not even the smallest board was borne: a ratio needs a number above 0. */
const ALONE = 1;
const P99_MS_MAX = 100;
/** What a board that did not even deliver everything counts as. */
const NEVER_MS = 10_000;

export const ladder: Work = {
  name: 'ladder',
  says: `the largest board that is borne: ${STEPS.join(', ')} editors × ${OPS_PER_SECOND} changes/s`,
  sockets: Math.max(...STEPS) + 1,
  figures: [
    {
      name: 'largest board',
      says: `editors × ${OPS_PER_SECOND} changes/s with a propagation p99 of at most ${P99_MS_MAX} ms; ${ALONE}: not even ${STEPS[0]}`,
      unit: 'editors',
      better: 'higher',
      pairings: pairings({ stateless: valueAtLeast(100, 'editors') }),
    },
    {
      name: 'busy board, propagation p99',
      says: `${BUSY} editors × ${OPS_PER_SECOND} changes/s; ${NEVER_MS / 1_000} s stands for a board that did not deliver everything`,
      unit: 'ms',
      better: 'lower',
      pairings: pairings({ stateless: valueAtMost(50, 'ms') }),
    },
  ],
  async play(turn) {
    let largest = ALONE;
    let isBorne = true;
    let busyMs = NEVER_MS;
    for (const editors of STEPS) {
      if (editors > BUSY && !isBorne) break;
      const ms = await p99Ms(turn, editors);
      if (editors === BUSY) busyMs = ms;
      isBorne &&= ms <= P99_MS_MAX;
      if (isBorne) largest = editors;
    }
    return { 'largest board': { value: largest }, 'busy board, propagation p99': { value: busyMs } };
  },
};

/** Rejects when the system serves nobody afterwards: a board that was not borne is a figure, a server that died is none. */
async function p99Ms(turn: Turn, editors: number): Promise<number> {
  const ms = await playedMs(turn, editors);
  // What it still has to do is not the next one's load.
  await turn.calm();
  (await turn.join(turn.document(`after-${editors}-editors`))).close();
  return ms;
}

async function playedMs(turn: Turn, editors: number): Promise<number> {
  try {
    return (await playBoard(turn, { editors, opsPerSecond: OPS_PER_SECOND })).propagation.p99Ms;
  } catch (error) {
    turn.warnings.push(`${turn.system.name} with ${editors} editors: ${(error as Error).message}`);
    return NEVER_MS;
  }
}
