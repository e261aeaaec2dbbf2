/** How long a read takes when it is the only one: one record, and all of a document of 1,000. */
import type { ReadReply } from '@homeport/protocol';
import { Latencies } from '../../measuring/latencies.js';
import { range } from '../../measuring/range.js';
import type { Writer } from '../../measuring/writer.js';
import { perOperation, type Turn } from '../turn.js';
import { pairings, ratioAtMost, type Value, type Work } from '../work.js';

const RECORDS = 1_000;
const TEXT = 'x'.repeat(40);
/** They take turns, so that none asks more often than a server lets one socket ask. */
const READERS = 40;

export const reads: Work = {
  name: 'reads',
  says: `a read of one record, and of a document of ${RECORDS.toLocaleString('en')}`,
  sockets: READERS + 1,
  figures: [
    {
      name: 'read of one record, p50',
      says: `of a document of ${RECORDS.toLocaleString('en')}, one read at a time`,
      unit: 'ms',
      better: 'lower',
      pairings: pairings({ echo: ratioAtMost(1.5) }),
    },
    {
      name: `read of ${RECORDS.toLocaleString('en')} records, p50`,
      says: 'the whole document, one read at a time',
      unit: 'ms',
      better: 'lower',
      pairings: pairings({ stateless: ratioAtMost(0.1) }),
    },
  ],
  async play(turn) {
    const document = turn.document('records');
    const writer = await turn.join(document);
    for (const i of range(RECORDS)) {
      const value = JSON.stringify({ x: i, y: i, text: TEXT });
      writer.push(`[{"op":"put","key":"shape:${i}","value":${value}}]`, () => {});
    }
    await turn.settled([writer]);
    const readers: Writer[] = [];
    for (const _ of range(READERS)) readers.push(await turn.join(document));
    const one = await readAll(turn, readers, { document, keys: ['shape:1'] }, 1);
    const all = await readAll(turn, readers, { document }, RECORDS);
    return { 'read of one record, p50': one, [`read of ${RECORDS.toLocaleString('en')} records, p50`]: all };
  },
};

async function readAll(turn: Turn, readers: readonly Writer[], request: object, records: number): Promise<Value> {
  for (const reader of readers) {
    const reply = JSON.parse(await reader.ask('read', request)) as ReadReply;
    if (!reply.ok) throw new Error(`a read was refused: ${reply.message}`);
    const found = Object.keys(reply.records).length;
    if (found !== records) throw new Error(`a read found ${found} records of ${records}`);
  }
  const latencies = new Latencies();
  const usage = turn.meter();
  const endMs = performance.now() + (turn.quick ? 700 : 3_000);
  let count = 0;
  for (let startMs = performance.now(); startMs < endMs; startMs = performance.now()) {
    const text = await readers[count++ % READERS]!.ask('read', request);
    latencies.record(performance.now() - startMs);
    if (!text.startsWith('{"ok":true')) throw new Error(`a read was answered ${text}`);
  }
  return { value: latencies.percentiles.p50Ms, cpuMicros: perOperation(usage(), count) };
}
