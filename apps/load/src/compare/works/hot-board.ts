/** The board at a rate that every system can bear, so that its latencies compare. */
import { playBoard, type BoardLoad } from './board.js';
import { pairings, type Work } from '../work.js';

const LOAD: BoardLoad = { editors: 50, opsPerSecond: 10 };
const SAYS = `one board, ${LOAD.editors} editors × ${LOAD.opsPerSecond} changes/s, everything to all`;

export const hotBoard: Work = {
  name: 'hot-board',
  says: SAYS,
  sockets: LOAD.editors + 1,
  figures: [
    {
      name: 'hot board, delivered',
      says: `changes that reach an editor: ${SAYS}`,
      unit: 'deliveries/s',
      better: 'higher',
      pairings: pairings(),
    },
    {
      name: 'hot board, propagation p50',
      says: `from a change to its arrival at each editor: ${SAYS}`,
      unit: 'ms',
      better: 'lower',
      pairings: pairings(),
    },
    {
      name: 'hot board, propagation p99',
      says: `from a change to its arrival at each editor: ${SAYS}`,
      unit: 'ms',
      better: 'lower',
      pairings: pairings(),
    },
  ],
  async play(turn) {
    const { deliveriesPerSecond, propagation, cpuMicros } = await playBoard(turn, LOAD);
    return {
      'hot board, delivered': { value: deliveriesPerSecond, cpuMicros },
      'hot board, propagation p50': { value: propagation.p50Ms },
      'hot board, propagation p99': { value: propagation.p99Ms },
    };
  },
};
