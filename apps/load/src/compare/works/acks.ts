/** How many pushes a second are acknowledged, and what each costs: closed loop, so this is throughput and no latency. */
import { ClosedLoop } from '../../measuring/closed-loop.js';
import { range } from '../../measuring/range.js';
import { perOperation } from '../turn.js';
import { pairings, ratioAtLeast, type Work } from '../work.js';

const SOCKETS = 50;
const IN_FLIGHT = 8;

export const acks: Work = {
  name: 'acks',
  says: `acks/s, ${SOCKETS} sockets × ${IN_FLIGHT} in flight, a document each, one push per message`,
  sockets: SOCKETS,
  figures: [
    {
      name: 'acks',
      says: `acknowledged pushes a second: ${SOCKETS} sockets × ${IN_FLIGHT} in flight, ${SOCKETS} documents`,
      unit: 'acks/s',
      better: 'higher',
      pairings: pairings({ echo: ratioAtLeast(0.8), stateless: ratioAtLeast(5) }),
    },
  ],
  async play(turn) {
    const writers = await Promise.all(range(SOCKETS).map((i) => turn.join(turn.document(`${i}`))));
    const loop = await ClosedLoop.start(writers, IN_FLIGHT);
    await turn.span(turn.quick ? 500 : 2_000);
    const before = loop.answered;
    const usage = turn.meter();
    await turn.span(turn.quick ? 1_000 : 4_000);
    const count = loop.answered - before;
    const used = usage();
    loop.stop();
    await turn.settled(writers);
    return { acks: { value: (count * 1_000) / used.tookMs, cpuMicros: perOperation(used, count) } };
  },
};
