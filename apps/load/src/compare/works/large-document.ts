/** What the size of a document costs a push: the same load on one of 10 records, and then on one of 10,000. */
import type { Op } from '@homeport/protocol';
import { range } from '../../measuring/range.js';
import type { Turn } from '../turn.js';
import { pairings, valueAtMost, type Value, type Work } from '../work.js';
import { playOpenLoop } from './open-loop.js';

const SMALL = 10;
const LARGE = 10_000;
const RECORD_BYTES = 400;
const TEXT = 'x'.repeat(RECORD_BYTES - '{"x":0,"text":""}'.length);
const OPS_PER_PUSH = 500;
const SOCKETS = 8;
const PUSHES_PER_SECOND = 2_000;
const LOAD = `${PUSHES_PER_SECOND.toLocaleString('en')} pushes/s of ${SOCKETS} sockets, all over the document`;

export const largeDocument: Work = {
  name: 'large-document',
  says: `a push into ${shown(LARGE)} records of ${RECORD_BYTES} bytes against one into ${SMALL}; Homeport alone`,
  sockets: SOCKETS + 1,
  // The others keep no document in memory.
  systems: ['homeport', 'pinned', 'relayed'],
  figures: [
    ...[SMALL, LARGE].map((records) => ({
      name: ackName(records),
      says: `until the ack: ${LOAD}`,
      unit: 'ms',
      better: 'lower' as const,
      pairings: pairings(),
    })),
    {
      name: 'large document over small',
      says: `server CPU of a push into ${shown(LARGE)} records over that of one into ${SMALL}: ${LOAD}`,
      unit: '×',
      better: 'lower',
      pairings: [
        { of: 'homeport', over: 'pinned', target: valueAtMost(1.2, '×') },
        { of: 'relayed', over: 'pinned' },
      ],
    },
  ],
  async play(turn) {
    const small = await playDocument(turn, SMALL);
    const large = await playDocument(turn, LARGE);
    const isKnown = small.cpuMicros !== undefined && large.cpuMicros !== undefined;
    return {
      [ackName(SMALL)]: small,
      [ackName(LARGE)]: large,
      'large document over small': { value: isKnown ? large.cpuMicros / small.cpuMicros : undefined },
    };
  },
};

/** The checkpoint of what it is filled with comes in the warm-up, and is not measured. */
async function playDocument(turn: Turn, records: number): Promise<Value> {
  const document = turn.document(`${records}-records`);
  const first = await turn.join(document);
  for (let from = 0; from < records; from += OPS_PER_PUSH) {
    const keys = range(Math.min(OPS_PER_PUSH, records - from)).map((i) => `shape:${from + i}`);
    await first.write(keys.map((key): Op => ({ op: 'put', key, value: { x: 0, text: TEXT } })));
  }
  first.close();

  const writers = await Promise.all(range(SOCKETS).map(() => turn.join(document)));
  // 7919 is prime, so every record has its turn.
  const ops = (index: number): string =>
    `[{"op":"patch","key":"shape:${(index * 7_919) % records}","set":{"x":${index % 1_000}},"unset":[]}]`;
  try {
    const load = { writers, pushesPerSecond: PUSHES_PER_SECOND, ops };
    const { percentiles, cpuMicros } = await playOpenLoop(turn, load);
    return { value: percentiles.p50Ms, cpuMicros };
  } finally {
    for (const writer of writers) writer.close();
  }
}

function ackName(records: number): string {
  return `ack among ${shown(records)} records, p50`;
}

function shown(count: number): string {
  return count.toLocaleString('en');
}
