/** How long an ack takes at a steady rate, from the moment at which the push was meant to be sent. */
import { Latencies } from '../../measuring/latencies.js';
import { range } from '../../measuring/range.js';
import { Schedule } from '../../measuring/schedule.js';
import { perOperation } from '../turn.js';
import { atMostMore, pairings, ratioAtMost, valueAtMost, type Work } from '../work.js';

const SOCKETS = 50;
const PUSHES_PER_SECOND = 1_000;
const SAYS = `at ${PUSHES_PER_SECOND.toLocaleString('en')} pushes/s, open loop, ${SOCKETS} sockets and documents`;

export const latency: Work = {
  name: 'latency',
  says: `ack latency ${SAYS}`,
  figures: [
    {
      name: 'ack latency, p50',
      says: `until the ack, ${SAYS}`,
      unit: 'ms',
      better: 'lower',
      pairings: pairings({ stateless: ratioAtMost(0.5), relayed: atMostMore(3, 'ms') }),
    },
    {
      name: 'ack latency, p99',
      says: `until the ack, ${SAYS}`,
      unit: 'ms',
      better: 'lower',
      pairings: pairings({ stateless: valueAtMost(10, 'ms') }),
    },
  ],
  async play(turn) {
    const writers = await Promise.all(range(SOCKETS).map((i) => turn.join(turn.document(`${i}`))));
    for (const writer of writers) await writer.write([{ op: 'put', key: 'shape:1', value: { x: 0 } }]);
    let measured: Latencies | undefined;
    const schedule = new Schedule(PUSHES_PER_SECOND, (index, intendedMs) => {
      const into = measured;
      const ops = `[{"op":"patch","key":"shape:1","set":{"x":${index % 1_000}},"unset":[]}]`;
      writers[index % SOCKETS]!.push(ops, () => into?.record(performance.now() - intendedMs));
    });
    try {
      await turn.span(turn.quick ? 500 : 2_000);
      const latencies = (measured = new Latencies());
      const usage = turn.meter();
      await turn.span(turn.quick ? 1_000 : 6_000);
      const used = usage();
      schedule.stop();
      // The slowest answers count as well.
      await turn.settled(writers);
      const { p50Ms, p99Ms } = latencies.percentiles;
      const cpuMicros = perOperation(used, (PUSHES_PER_SECOND * used.tookMs) / 1_000);
      return { 'ack latency, p50': { value: p50Ms, cpuMicros }, 'ack latency, p99': { value: p99Ms } };
    } finally {
      schedule.stop();
    }
  },
};
