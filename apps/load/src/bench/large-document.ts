/**
 * What size costs: pushes to a document of 10,000 records against pushes to one of 10, at the same rate, in turns; and
 * the first opening of documents of 10,000 records after a restart, when nothing of them is in memory.
 */
import { PROTOCOL_VERSION, type Op, type OpenNextReply, type OpenReply } from '@homeport/protocol';
import { figureOf, ratioOf, shown } from '../measuring/figures.js';
import { Latencies } from '../measuring/latencies.js';
import { cpuMs } from '../measuring/process-usage.js';
import { range } from '../measuring/range.js';
import { withSystems } from './rounds.js';
import { Schedule } from '../measuring/schedule.js';
import { startHomeport, type Homeport, type System } from './system.js';
import { WireSocket } from '../measuring/wire-socket.js';
import { assertSound, Writer } from '../measuring/writer.js';
import type { Bench, Measured, Measurement } from './measurement.js';

const RECORDS = 10_000;
const RECORD_BYTES = 400;
const SOCKETS = 8;
const PUSHES_PER_SECOND = 2_000;
const OPS_PER_PUSH = 500;

interface PushCost {
  readonly serverMicros: number | undefined;
  readonly ackP50Ms: number;
}

interface Opening {
  readonly firstPageMs: number;
  readonly allPagesMs: number;
}

export const largeDocument: Measurement = {
  name: 'large-document',
  says: `push cost in a document of ${RECORDS.toLocaleString('en')} records against one of 10, and opening it cold`,
  async run(bench: Bench): Promise<Measured> {
    return withSystems([startHomeport], async ([system]) => {
      await fill(system!, 'small', 10);
      await fill(system!, 'large', RECORDS);
      const small: PushCost[] = [];
      const large: PushCost[] = [];
      await bench.rounds(bench.quick ? 1 : 4, async (round) => {
        small.push(await pushCost(bench, system!, 'small', 10));
        large.push(await pushCost(bench, system!, 'large', RECORDS));
        bench.tell(`large document, round ${round + 1}: pushes measured`);
      });
      const openings: Opening[] = [];
      await bench.rounds(1, () => openCold(bench, system!, openings));
      return report(small, large, openings);
    });
  },
};

async function fill(system: System, document: string, records: number): Promise<void> {
  const writer = await Writer.join(system.url, document);
  const text = 'x'.repeat(RECORD_BYTES - '{"x":0,"y":0,"text":""}'.length);
  for (let from = 0; from < records; from += OPS_PER_PUSH) {
    const keys = range(Math.min(OPS_PER_PUSH, records - from)).map((i) => `shape:${from + i}`);
    await writer.write(keys.map((key): Op => ({ op: 'put', key, value: { x: 0, y: 0, text } })));
  }
  writer.close();
}

async function pushCost(bench: Bench, system: System, document: string, records: number): Promise<PushCost> {
  const writers = await Promise.all(range(SOCKETS).map(() => Writer.join(system.url, document)));
  let latencies: Latencies | undefined;
  let pushes = 0;
  const schedule = new Schedule(PUSHES_PER_SECOND, (index, intendedMs) => {
    pushes++;
    const into = latencies;
    // All over the document: 7919 is prime, so every record has its turn.
    const ops = `[{"op":"patch","key":"shape:${(index * 7_919) % records}","set":{"x":${index % 1_000}},"unset":[]}]`;
    writers[index % SOCKETS]!.push(ops, () => into?.record(performance.now() - intendedMs));
  });
  try {
    await bench.span(bench.quick ? 1_000 : 2_000);
    latencies = new Latencies();
    const before = { pushes, cpu: cpuMs(system.pid) };
    await bench.span(bench.quick ? 2_000 : 6_000);
    const cpu = cpuMs(system.pid);
    const count = pushes - before.pushes;
    assertSound(writers);
    return {
      serverMicros: cpu === undefined || before.cpu === undefined ? undefined : ((cpu - before.cpu) * 1_000) / count,
      ackP50Ms: latencies.percentiles.p50Ms,
    };
  } finally {
    schedule.stop();
    for (const writer of writers) writer.close();
  }
}

/** Documents that nobody has opened since the restart, one after the other. */
async function openCold(bench: Bench, system: Homeport, openings: Opening[]): Promise<void> {
  const documents = range(bench.quick ? 4 : 12).map((i) => `cold-${i}`);
  for (const document of documents) await fill(system, document, RECORDS);
  await system.restart();
  for (const document of documents) {
    openings.push(await openOnce(system, document));
    bench.tell(`large document, ${document}: first page after ${openings.at(-1)!.firstPageMs.toFixed(0)} ms`);
    await bench.span(200);
  }
}

/** As a client sees it: the way there and back is in it. */
async function openOnce(system: System, document: string): Promise<Opening> {
  const session = `bench-${crypto.randomUUID()}`;
  const wire = await WireSocket.connect(system.url, { protocol: PROTOCOL_VERSION, session });
  const startMs = performance.now();
  let records = 0;
  const count = (reply: OpenReply | OpenNextReply): number | undefined => {
    if (!reply.ok) throw new Error(`open was refused: ${reply.message}`);
    records += Object.keys(reply.snapshot?.records ?? {}).length;
    return reply.next;
  };
  let next = count(await wire.ask<OpenReply>('open', { document }));
  const firstPageMs = performance.now() - startMs;
  while (next !== undefined) next = count(await wire.ask<OpenNextReply>('open', { document, next }));
  const allPagesMs = performance.now() - startMs;
  wire.close();
  if (records !== RECORDS) throw new Error(`${document} opened with ${records} records of ${RECORDS}`);
  return { firstPageMs, allPagesMs };
}

function report(small: readonly PushCost[], large: readonly PushCost[], openings: readonly Opening[]): Measured {
  const micros = (costs: readonly PushCost[]) => figureOf(costs.map((cost) => cost.serverMicros));
  const [smallMicros, largeMicros] = [micros(small), micros(large)];
  const ratio = ratioOf(largeMicros, smallMicros);
  const p50 = (costs: readonly PushCost[]): string => shown(figureOf(costs.map((cost) => cost.ackP50Ms)), 2);
  const opening = (of: keyof Opening): string => `${shown(figureOf(openings.map((each) => each[of])), 0)} ms`;
  return {
    rows: [
      { what: 'server CPU per push, 10 records', value: `${shown(smallMicros, 1)} µs, ack p50 ${p50(small)} ms` },
      { what: 'server CPU per push, 10,000 records', value: `${shown(largeMicros, 1)} µs, ack p50 ${p50(large)} ms` },
      { what: 'ratio', value: shown(ratio, 2), target: '≤ 1.2' },
      { what: 'cold open of 10,000 records: first page', value: opening('firstPageMs'), target: '≤ 100 ms, goal 50' },
      { what: 'cold open: all pages, 4 MB', value: opening('allPagesMs') },
    ],
    raw: { records: RECORDS, recordBytes: RECORD_BYTES, small, large, ratio, openings },
  };
}
