/**
 * What documents cost in memory, measured in this process: the heap after a collection with so many of a thing in a node,
 * less the heap without, for each of them. Sockets are not here: `npm run load -- idle`.
 */
import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { DocumentLog, HomeNode, type LoadedDocument, type LoggedEntry, type RecordRow } from '@homeport/core';
import {
  FakeClock,
  MemoryDatabase,
  MemoryLeaseTable,
  MemoryRevocationTable,
  MemoryLink,
  NOTHING_WRITTEN,
  RecordingFanOut,
  RecordingProbe,
  SeededRandom,
  nodeNamed,
} from '@homeport/testkit';
import type { Seq } from '@homeport/protocol';

export interface MemoryCost {
  readonly what: string;
  readonly count: number;
  readonly bytesEach: number;
}

/** As JSON, about. */
const SHAPE_BYTES = 120;
const RECORD_BYTES = 400;

export async function memoryCosts(): Promise<readonly MemoryCost[]> {
  const document = () => NOTHING_WRITTEN;
  return [
    await cost('a document without records', 10_000, 1, document),
    await cost(`a record of ${SHAPE_BYTES} bytes`, 100, 1_000, () => withRecords(1_000, SHAPE_BYTES)),
    await cost(`a record of ${RECORD_BYTES} bytes`, 100, 1_000, () => withRecords(1_000, RECORD_BYTES)),
    await cost(`a remembered entry of ${SHAPE_BYTES} bytes`, 100, 1_000, () => withEntries(1_000, SHAPE_BYTES)),
  ];
}

async function cost(what: string, documents: number, each: number, load: () => LoadedDocument): Promise<MemoryCost> {
  const clock = new FakeClock();
  const link = new MemoryLink(new MemoryDatabase(clock, new SeededRandom(1)));
  const node = new HomeNode({
    node: nodeNamed('one'),
    log: new WrittenLog(load),
    leases: new MemoryLeaseTable(link),
    revocations: new MemoryRevocationTable(link),
    fanOut: new RecordingFanOut(),
    clock,
    random: new SeededRandom(1),
    probe: new RecordingProbe(),
  });
  await clock.outcome('the start', node.start('alone'));
  const before = heapBytes();
  for (let i = 0; i < documents; i++) {
    const document = `document-${i}`;
    const read = await node.directory.open(document, 'redirect').read({ document, keys: [] });
    if (!read.ok) throw new Error(`${document} was not read: ${read.code}`);
  }
  const bytes = heapBytes() - before;
  if (node.stats().documents !== documents) throw new Error('not all documents are in memory');
  return { what, count: documents * each, bytesEach: bytes / (documents * each) };
}

/** A log in which every document holds the same. */
class WrittenLog extends DocumentLog {
  constructor(private readonly written: () => LoadedDocument) {
    super();
  }

  override async timeline() {
    return 'written';
  }

  override async load() {
    return this.written();
  }

  override async append() {
    return { kind: 'failed', poison: false, reason: 'nothing is written here' } as const;
  }

  override async entries() {
    return [];
  }

  override async checkpoint() {
    return 'failed' as const;
  }
}

function withRecords(count: number, bytes: number): LoadedDocument {
  const records = Array.from({ length: count }, (_, n): RecordRow => {
    const seq = (n + 1) as Seq;
    const writer = `session-${n % 50}`;
    return { key: `shape:${n}`, seq, value: shape(n, bytes), bytes, writer, othersSeq: seq };
  });
  return { ...NOTHING_WRITTEN, head: count as Seq, checkpoint: count as Seq, records };
}

/** All of one record, which so costs nothing. */
function withEntries(count: number, bytes: number): LoadedDocument {
  const tail = Array.from({ length: count }, (_, n): LoggedEntry => {
    const ops = [{ op: 'put', key: 'shape:0', value: shape(n, bytes - 35) }] as const;
    const numbers = { seq: (n + 1) as Seq, opNo: n + 1, after: n, at: 1_764_030_477_000 + n };
    return { ...numbers, session: 'session-0', user: 'ada', ops };
  });
  return { ...NOTHING_WRITTEN, head: count as Seq, tail };
}

/** Read as from the database: nothing is shared between two of them but their shape. */
function shape(n: number, bytes: number): RecordRow['value'] {
  const text = `{"type":"rectangle","x":${n},"y":${n * 7},"w":100.5,"h":50.25,"text":""}`;
  return JSON.parse(text.replace('""', `"${'x'.repeat(bytes - text.length)}"`)) as RecordRow['value'];
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
