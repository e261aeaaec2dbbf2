/** How many pushes a second are acknowledged, and what each costs: closed loop, so this is throughput and no latency. */
import { range } from '../../measuring/range.js';
import { perOperation } from '../turn.js';
import { pairings, ratioAtLeast, type Work } from '../work.js';

const SOCKETS = 50;
const IN_FLIGHT = 8;

export const acks: Work = {
  name: 'acks',
  says: `acks/s, ${SOCKETS} sockets × ${IN_FLIGHT} in flight, a document each, one push per message`,
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
    let answered = 0;
    let going = true;
    let x = 0;
    for (const writer of writers) {
      await writer.write([{ op: 'put', key: 'shape:1', value: { x: 0, y: 0 } }]);
      const next = (): void => {
        answered++;
        if (going) writer.push(move(++x), next);
      };
      for (let i = 0; i < IN_FLIGHT; i++) writer.push(move(++x), next);
    }
    await turn.span(turn.quick ? 500 : 2_000);
    const before = answered;
    const usage = turn.meter();
    await turn.span(turn.quick ? 1_000 : 4_000);
    const count = answered - before;
    const used = usage();
    going = false;
    await turn.settled(writers);
    return { acks: { value: (count * 1_000) / used.tookMs, cpuMicros: perOperation(used, count) } };
  },
};

function move(x: number): string {
  return `[{"op":"patch","key":"shape:1","set":{"x":${x % 1_000},"y":${x % 777}},"unset":[]}]`;
}
