/** How long an ack takes at a steady rate, from the moment at which the push was meant to be sent. */
import { range } from '../../measuring/range.js';
import type { Turn } from '../turn.js';
import { atMostMore, pairings, ratioAtMost, valueAtMost, type Value, type Work } from '../work.js';
import { playOpenLoop } from './open-loop.js';

const SOCKETS = 50;
/** That of the targets. */
export const PUSHES_PER_SECOND = 1_000;

export function latencyAt(pushesPerSecond: number): Work {
  const says = `at ${pushesPerSecond.toLocaleString('en')} pushes/s, open loop, ${SOCKETS} sockets and documents`;
  const isOfTargets = pushesPerSecond === PUSHES_PER_SECOND;
  return {
    name: 'latency',
    says: `ack latency ${says}`,
    sockets: SOCKETS,
    figures: [
      {
        name: 'ack latency, p50',
        says: `until the ack, ${says}`,
        unit: 'ms',
        better: 'lower',
        pairings: pairings(isOfTargets ? { stateless: ratioAtMost(0.5), relayed: atMostMore(3, 'ms') } : {}),
      },
      {
        name: 'ack latency, p99',
        says: `until the ack, ${says}`,
        unit: 'ms',
        better: 'lower',
        pairings: pairings(isOfTargets ? { stateless: valueAtMost(10, 'ms') } : {}),
      },
    ],
    play: (turn) => play(turn, pushesPerSecond),
  };
}

async function play(turn: Turn, pushesPerSecond: number): Promise<Readonly<Record<string, Value>>> {
  const writers = await Promise.all(range(SOCKETS).map((i) => turn.join(turn.document(`${i}`))));
  for (const writer of writers) await writer.write([{ op: 'put', key: 'shape:1', value: { x: 0 } }]);
  const ops = (index: number): string => `[{"op":"patch","key":"shape:1","set":{"x":${index % 1_000}},"unset":[]}]`;
  const { percentiles, cpuMicros } = await playOpenLoop(turn, { writers, pushesPerSecond, ops });
  return {
    'ack latency, p50': { value: percentiles.p50Ms, cpuMicros },
    'ack latency, p99': { value: percentiles.p99Ms },
  };
}
