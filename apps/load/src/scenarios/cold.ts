import type { DocumentId, Op } from '@homeport/protocol';
import { nowMs } from '../history/operation.js';
import type { Crowd } from '../load/crowd.js';
import type { Direction } from '../load/direction.js';
import { figure, type Measured } from '../load/measured.js';
import type { Person } from '../load/person.js';
import type { ProcessSeries } from '../load/run-result.js';
import type { Scenario } from '../load/scenario.js';

const RECORDS_PER_PUSH = 400;
const VISITORS = 8;
/** Below what a session may have open. */
const OPEN_AT_ONCE = 50;
const BYTES_PER_MB = 1_024 * 1_024;

const P8 = { says: 'P8: ≤ 100 ms, goal 50', max: 100, records: 10_000, recordBytes: 400 };

/**
 * Documents that are in nobody's memory. Large ones are written, the servers are restarted, and they are opened, one
 * after the other; meanwhile many small ones are visited once each: opened, written, closed. For P9: --documents 100000
 * --visits 500 --seconds 220.
 */
export const cold: Scenario = {
  name: 'cold',
  says: 'large documents are opened after a restart, and many small ones are visited once each',
  sizes: {
    large: { preset: 4, says: 'large documents', from: 0 },
    records: { preset: 10_000, says: 'records of each' },
    'record-bytes': { preset: 400, says: 'bytes of each record' },
    restarts: { preset: 3, says: 'times that the servers are restarted, and the large documents opened', from: 0 },
    documents: { preset: 2_000, says: 'small documents', from: 0 },
    visits: { preset: 100, says: 'of them are visited per second', from: 1, isFraction: true },
    'memory-mb': { preset: 512, says: 'memory that a server of its own cluster may use for documents', from: 16 },
  },
  nodes: 1,
  seconds: 30,
  breaks: false,
  settings: (size) => ({ MEMORY_BUDGET_MB: String(size('memory-mb')) }),
  sessions: (size) => VISITORS + size('large'),
  async populate(crowd) {
    for (const document of largeOnes(crowd)) await furnish(crowd, document);
    new Visits(crowd).begin();
  },
  acts: {
    async 'open-large'(crowd) {
      for (const document of largeOnes(crowd)) {
        const reader = crowd.people.find((person) => person.name === `reader-${document}`);
        if (reader) crowd.reopen(reader, document);
        else crowd.join(`reader-${document}`, [document], 'redirect', 'large open');
        await crowd.until(`${document} to be open`, () => crowd.people.every((person) => person.isOpen));
      }
    },
  },
  async direct(direction) {
    const restarts = direction.size('large') > 0 ? direction.size('restarts') : 0;
    for (let i = 0; i < restarts; i++) {
      if (direction.system.own) await restart(direction);
      await direction.act('open-large');
    }
    if (restarts > 0 && !direction.system.own)
      direction.warnings.push('a system elsewhere is not restarted: its large documents may have been in memory');
  },
  figures: (measured) => [
    measured.percentile('large open: first page', 'p50', isOfP8(measured) ? P8 : undefined),
    measured.percentile('large open: first page', 'max'),
    measured.percentile('large open', 'p50'),
    measured.percentile('visit', 'p50'),
    measured.percentile('visit', 'p99'),
    measured.rate('visit'),
    ...memoryFigures(measured),
  ],
};

function isOfP8({ size }: Measured): boolean {
  return size('records') === P8.records && size('record-bytes') === P8.recordBytes;
}

function largeOnes(crowd: Crowd): DocumentId[] {
  return crowd.mine(crowd.size('large')).map((i) => crowd.document(`large-${i}`));
}

async function furnish(crowd: Crowd, document: DocumentId): Promise<void> {
  const writer = crowd.join(`furnisher-${document}`, [document]);
  const text = 'x'.repeat(crowd.size('record-bytes'));
  for (let from = 0; from < crowd.size('records'); from += RECORDS_PER_PUSH) {
    const count = Math.min(RECORDS_PER_PUSH, crowd.size('records') - from);
    const ops = Array.from({ length: count }, (_, i): Op => ({ op: 'put', key: `row:${from + i}`, value: { text } }));
    await writer.write(document, ops);
  }
  writer.leave(document);
}

/** Each document once: what is due while all visitors have their hands full waits, and its wait counts. */
class Visits {
  readonly #visitors: readonly Person[];
  readonly #waiting: { readonly document: DocumentId; readonly dueMs: number }[] = [];
  readonly #open = new Map<Person, number>();

  constructor(private readonly crowd: Crowd) {
    this.#visitors = crowd.mine(VISITORS).map((i) => crowd.join(`visitor${i}`, []));
  }

  begin(): void {
    const { crowd } = this;
    const mine = crowd.mine(crowd.size('documents'));
    crowd.atRate(crowd.size('visits') / crowd.plan.generators, (index, dueMs) => {
      if (mine[index] === undefined) return;
      this.#waiting.push({ document: crowd.document(`small-${mine[index]}`), dueMs });
      this.#visit();
    });
  }

  #visit(): void {
    const visitor = this.#visitors.find((one) => (this.#open.get(one) ?? 0) < OPEN_AT_ONCE);
    const next = visitor && this.#waiting.shift();
    if (!next) return;
    const { document, dueMs } = next;
    this.#open.set(visitor, (this.#open.get(visitor) ?? 0) + 1);
    this.crowd.open(visitor, document);
    const op: Op = { op: 'put', key: 'note', value: { text: 'somebody was here' } };
    visitor.push(document, [op], dueMs, 'visit', () => {
      // The client is in the middle of taking the answer.
      queueMicrotask(() => {
        visitor.leave(document);
        this.#open.set(visitor, this.#open.get(visitor)! - 1);
        this.#visit();
      });
    });
  }
}

async function restart(direction: Direction): Promise<void> {
  await direction.during('restart', async () => {
    const { cluster } = direction.own;
    const start = nowMs();
    for (const node of cluster.nodes) {
      await node.drain();
      await node.start();
    }
    return { did: `${cluster.nodes.length} restarted in ${Math.round(nowMs() - start)} ms` };
  });
}

/** How memory grew while most of the documents were visited. */
function memoryFigures({ processes, warmUpMs, durationMs }: Measured): ReturnType<typeof figure>[] {
  const part = (from: number, to: number): number => {
    const [start, end] = [from, to].map((share) => warmUpMs + share * (durationMs - warmUpMs)) as [number, number];
    return processes
      .filter(({ name }) => name.startsWith('node'))
      .reduce((sum, { points }) => sum + lowest(points.filter(({ atMs }) => atMs >= start && atMs <= end)), 0);
  };
  const [early, late] = [part(0.25, 0.5), part(0.75, 1)];
  if (!Number.isFinite(early + late) || early === 0) return [];
  return [
    figure('server memory at the end', late / BYTES_PER_MB, 'MB'),
    figure('… against the second quarter', late / early, '×', { says: 'P9: flat, ≤ 1.1', max: 1.1 }),
  ];
}

function lowest(points: ProcessSeries['points']): number {
  return Math.min(...points.map(({ rssBytes }) => rssBytes));
}
