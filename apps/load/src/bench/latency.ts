/** How long an acknowledgement takes at a steady 1,000 pushes a second, from the moment the push was meant to be sent. */
import { Latencies, type Percentiles } from '../measuring/latencies.js';
import { figureOf, shown } from '../measuring/figures.js';
import { range } from '../measuring/range.js';
import { withSystems } from './rounds.js';
import { Schedule } from '../measuring/schedule.js';
import { startEcho, startHomeport, type System } from './system.js';
import { assertSound, Writer } from '../measuring/writer.js';
import type { Bench, Measured, Measurement } from './measurement.js';

const SOCKETS = 50;
const PUSHES_PER_SECOND = 1_000;
const ANSWERED_WITHIN_MS = 10_000;

interface Round {
  readonly ack: Percentiles;
  /** How late the generator was: part of every latency. */
  readonly late: Percentiles;
}

export const latency: Measurement = {
  name: 'latency',
  says: `ack latency at ${PUSHES_PER_SECOND.toLocaleString('en')} pushes/s, open loop, ${SOCKETS} sockets and documents`,
  async run(bench: Bench): Promise<Measured> {
    return withSystems([startEcho, startHomeport], async (systems) => {
      const rounds = { echo: [] as Round[], homeport: [] as Round[] };
      await bench.rounds(bench.quick ? 1 : 3, async (round) => {
        for (const system of systems) {
          const measured = await measure(bench, system, round);
          rounds[system.name].push(measured);
          bench.tell(`latency, round ${round + 1}, ${system.name}: ${describe(measured.ack)}`);
        }
      });
      return report(rounds);
    });
  },
};

async function measure(bench: Bench, system: System, round: number): Promise<Round> {
  const writers = await Promise.all(range(SOCKETS).map((i) => Writer.join(system.url, `latency-${round}-${i}`)));
  for (const writer of writers) await writer.write([{ op: 'put', key: 'shape:1', value: { x: 0 } }]);
  let measured: { ack: Latencies; late: Latencies } | undefined;
  let unanswered = 0;
  const schedule = new Schedule(PUSHES_PER_SECOND, (index, intendedMs) => {
    const into = measured;
    into?.late.record(performance.now() - intendedMs);
    unanswered++;
    const ops = `[{"op":"patch","key":"shape:1","set":{"x":${index % 1_000}},"unset":[]}]`;
    writers[index % SOCKETS]!.push(ops, () => {
      unanswered--;
      into?.ack.record(performance.now() - intendedMs);
    });
  });
  try {
    await bench.span(bench.quick ? 1_000 : 3_000);
    measured = { ack: new Latencies(), late: new Latencies() };
    const { ack, late } = measured;
    await bench.span(bench.quick ? 3_000 : 10_000);
    schedule.stop();
    // The slowest answers count as well.
    const limit = performance.now() + ANSWERED_WITHIN_MS;
    while (unanswered > 0 && performance.now() < limit) await bench.span(10);
    assertSound(writers);
    if (unanswered > 0) throw new Error(`${unanswered} pushes were not answered within ${ANSWERED_WITHIN_MS} ms`);
    return { ack: ack.percentiles, late: late.percentiles };
  } finally {
    schedule.stop();
    for (const writer of writers) writer.close();
  }
}

function report(rounds: { readonly echo: readonly Round[]; readonly homeport: readonly Round[] }): Measured {
  const of = (name: 'echo' | 'homeport', which: keyof Round, percentile: 'p50Ms' | 'p99Ms') =>
    shown(figureOf(rounds[name].map((round) => round[which][percentile])), 2);
  const both = (name: 'echo' | 'homeport', which: keyof Round): string =>
    `p50 ${of(name, which, 'p50Ms')} ms, p99 ${of(name, which, 'p99Ms')} ms`;
  return {
    rows: [
      { what: 'Homeport, durable', value: both('homeport', 'ack'), target: 'p99 ≤ 10 ms' },
      { what: 'plain echo', value: both('echo', 'ack') },
      { what: 'of it, the generator was late by', value: both('homeport', 'late') },
    ],
    raw: { sockets: SOCKETS, pushesPerSecond: PUSHES_PER_SECOND, ...rounds },
  };
}

function describe({ p50Ms, p99Ms }: Percentiles): string {
  return `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
}
