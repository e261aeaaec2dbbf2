/** What every `DocumentLog` must do, beside the `LeaseTable` of the same database. */
import { placed, slotOf } from '@homeport/core';
import type { Batch, CheckpointStep, DocumentLog, LeaseTable, LoggedEntry, RecordRow, Tenure } from '@homeport/core';
import type { Epoch, Json, Seq } from '@homeport/protocol';
import { jsonBytes } from '@homeport/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface Storage {
  /** The log and the lease table of one process. */
  readonly log: DocumentLog;
  readonly leases: LeaseTable;
  close(): Promise<void>;
}

const BOARD = 'board-1';
const OTHER = 'board-2';
const ME = 'me.1';
const HEIR = 'heir.1';

/** `make`: over fresh tables at each call. */
export function describeDocumentLog(name: string, make: () => Promise<Storage>): void {
  describe(`${name} as a DocumentLog`, () => {
    let storage: Storage;
    let log: DocumentLog;
    let tenures: ReadonlyMap<number, Tenure>;

    beforeEach(async () => {
      storage = await make();
      log = storage.log;
      tenures = await own(ME);
    });
    afterEach(() => storage.close());

    it('names its timeline, the same each time', async () => {
      const timeline = await log.timeline();
      expect(timeline).not.toBe('');
      expect(await log.timeline()).toBe(timeline);
    });

    it('W7: a load sees every entry that was answered durable', async () => {
      expect(await append(batch(BOARD, 0, 2), batch(OTHER, 0, 1))).toEqual({ [BOARD]: 'durable', [OTHER]: 'durable' });
      expect(await append(batch(BOARD, 2, 3))).toEqual({ [BOARD]: 'durable' });
      expect(await log.load(BOARD)).toEqual({
        head: 5,
        checkpoint: 0,
        forgottenTo: 0,
        records: [],
        marks: [],
        tail: [1, 2, 3, 4, 5].map(entry),
      });
      expect((await log.load(OTHER)).head).toBe(1);
    });

    it('shows a document that was never written as head 0 and empty, and writes nothing by it', async () => {
      const empty = { head: 0, checkpoint: 0, forgottenTo: 0, records: [], marks: [], tail: [] };
      expect(await log.load(BOARD)).toEqual(empty);
      expect(await log.entries(BOARD, 1 as Seq, 1_000)).toEqual([]);
      expect(await append(batch(BOARD, 0, 1))).toEqual({ [BOARD]: 'durable' });
    });

    it('W2: a flush whose head is not the head of the log stores nothing, whether behind or ahead', async () => {
      await append(batch(BOARD, 0, 2));
      expect(await append(batch(BOARD, 0, 1))).toEqual({ [BOARD]: 'diverged' });
      expect(await append(batch(BOARD, 1, 1))).toEqual({ [BOARD]: 'diverged' });
      expect(await append(batch(BOARD, 3, 1))).toEqual({ [BOARD]: 'diverged' });
      expect(await append(batch(OTHER, 3, 1))).toEqual({ [OTHER]: 'diverged' });
      expect((await log.load(BOARD)).tail).toHaveLength(2);
      expect((await log.load(OTHER)).head).toBe(0);
    });

    it('W6: a flush at an older epoch, a younger one, or of another owner, writes nothing', async () => {
      const [old] = [batch(BOARD, 0, 1)];
      await raise(BOARD);
      expect(await append(old)).toEqual({ [BOARD]: 'fenced' });
      expect(await append({ ...batch(BOARD, 0, 1), epoch: 99 as Epoch })).toEqual({ [BOARD]: 'fenced' });
      expect(await appendAs('nobody', batch(BOARD, 0, 1))).toEqual({ [BOARD]: 'fenced' });
      expect((await log.load(BOARD)).head).toBe(0);
      expect(await append(batch(BOARD, 0, 1))).toEqual({ [BOARD]: 'durable' });
    });

    it('W6: after a takeover the old owner writes nothing, and the new one goes on from what it finds', async () => {
      await append(batch(BOARD, 0, 2));
      const old = batch(BOARD, 2, 1);
      tenures = await own(HEIR, { id: ME, renewals: 0 });
      expect(await appendAs(ME, old)).toEqual({ [BOARD]: 'fenced' });
      expect(await appendAs(HEIR, batch(BOARD, 2, 1))).toEqual({ [BOARD]: 'durable' });
      expect((await log.load(BOARD)).tail.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    });

    it('judges each document of a flush for itself, and stores it whole or not at all', async () => {
      await append(batch(BOARD, 0, 1));
      const fenced = batch('board-3', 0, 2);
      await raise('board-3');
      expect(await append(batch(BOARD, 5, 2), batch(OTHER, 0, 3), fenced)).toEqual({
        [BOARD]: 'diverged',
        [OTHER]: 'durable',
        'board-3': 'fenced',
      });
      expect((await log.load(BOARD)).head).toBe(1);
      expect((await log.load(OTHER)).head).toBe(3);
      expect((await log.load('board-3')).head).toBe(0);
    });

    it('W2: of two flushes that follow the same head one is stored', async () => {
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => append(batch(BOARD, 0, 2))));
      expect(outcomes.filter((outcome) => outcome[BOARD] === 'durable')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome[BOARD] === 'diverged')).toHaveLength(4);
      expect((await log.load(BOARD)).head).toBe(2);
    });

    it('gives entries from anywhere in order, at least one, and about as many bytes as asked for', async () => {
      await append(batch(BOARD, 0, 3));
      await append(batch(BOARD, 3, 4));
      expect(await entries(1, 100_000)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(await entries(3, 100_000)).toEqual([3, 4, 5, 6, 7]);
      expect(await entries(5, 1)).toEqual([5]);
      expect(await entries(1, 1)).toEqual([1]);
      expect(await entries(8, 100_000)).toEqual([]);
      const some = await entries(1, 400);
      expect(some.length).toBeGreaterThan(1);
      expect(some.length).toBeLessThan(7);
    });

    it('R4: what a checkpoint stored comes back with the load, with the entries above it', async () => {
      await append(batch(BOARD, 0, 3));
      const [mark] = [{ user: 'ada', session: 's', accepted: 3, recent: [[3, 3, 'd']], seq: 3, at: 1_767_225_600_123 }];
      const rows = [record('a', 1, { x: [1, 'é', null] }), record('b', 3, 'text')];
      expect(await checkpoint({ upserts: rows, deletes: [], advance: advance(3, [mark as never]) })).toBe('done');
      await append(batch(BOARD, 3, 1));
      const loaded = await log.load(BOARD);
      expect({ ...loaded, records: byKey(loaded.records) }).toEqual({
        head: 4,
        checkpoint: 3,
        forgottenTo: 0,
        records: rows,
        marks: [mark],
        tail: [entry(4)],
      });
    });

    it('loads a checkpoint that ends within a flush', async () => {
      await append(batch(BOARD, 0, 5));
      await checkpoint({ upserts: [], deletes: [], advance: advance(2) });
      expect((await log.load(BOARD)).tail.map(({ seq }) => seq)).toEqual([3, 4, 5]);
    });

    it('shows a step without its end: records ahead of the checkpoint, and the whole tail', async () => {
      await append(batch(BOARD, 0, 2));
      expect(await checkpoint({ upserts: [record('a', 2, 1)], deletes: [] })).toBe('done');
      const loaded = await log.load(BOARD);
      expect(loaded).toMatchObject({ checkpoint: 0, records: [{ key: 'a', seq: 2 }] });
      expect(loaded.tail).toHaveLength(2);
    });

    it('an upsert never lowers the seq of a record, a delete takes only what is not younger', async () => {
      await append(batch(BOARD, 0, 9));
      await checkpoint({ upserts: [record('a', 5, 'new'), record('b', 5, 'new')], deletes: [] });
      await checkpoint({
        upserts: [record('a', 4, 'old')],
        deletes: [{ key: 'b', seq: 4 as Seq }],
      });
      expect(byKey((await log.load(BOARD)).records)).toEqual([record('a', 5, 'new'), record('b', 5, 'new')]);
      await checkpoint({ upserts: [record('a', 6, 'newer')], deletes: [{ key: 'b', seq: 5 as Seq }] });
      expect((await log.load(BOARD)).records).toEqual([record('a', 6, 'newer')]);
    });

    it('a step that arrives late revives nothing that a later checkpoint deleted', async () => {
      await append(batch(BOARD, 0, 9));
      await checkpoint({ upserts: [], deletes: [{ key: 'a', seq: 7 as Seq }], advance: advance(9) });
      await checkpoint({ upserts: [record('a', 5, 'late')], deletes: [], advance: advance(5) });
      expect(await log.load(BOARD)).toMatchObject({ checkpoint: 9, records: [] });
    });

    it('W6: a checkpoint at an older epoch, or of another owner, writes nothing', async () => {
      await append(batch(BOARD, 0, 3));
      const step = stepOf({ upserts: [record('a', 3, 1)], deletes: [], advance: advance(3) });
      expect(await log.checkpoint('nobody', step)).toBe('fenced');
      await raise(BOARD);
      expect(await log.checkpoint(ME, step)).toBe('fenced');
      expect(await log.load(BOARD)).toMatchObject({ checkpoint: 0, records: [] });
    });

    it('keeps the youngest mark of a session, and forgets those it is told to', async () => {
      await append(batch(BOARD, 0, 9));
      const mark = (session: string, seq: number) =>
        ({ user: 'ada', session, accepted: seq, recent: [], seq: seq as Seq, at: seq }) as const;
      await checkpoint({ upserts: [], deletes: [], advance: advance(5, [mark('s', 5), mark('t', 4)]) });
      await checkpoint({ upserts: [], deletes: [], advance: advance(6, [mark('s', 3)]) });
      expect((await log.load(BOARD)).marks.find(({ session }) => session === 's')).toEqual(mark('s', 5));
      const forgotten = [{ user: 'ada', session: 't' }];
      await checkpoint({ upserts: [], deletes: [], advance: { ...advance(6), forgottenTo: 4 as Seq, forgotten } });
      expect(await log.load(BOARD)).toMatchObject({ forgottenTo: 4, marks: [mark('s', 5)] });
    });

    it('R4: a load while checkpoints and flushes commit is of one moment', async () => {
      await append(batch(BOARD, 0, 1));
      let writing = true;
      const write = async (): Promise<void> => {
        for (let seq = 1; seq < 30; seq++) {
          await append(batch(BOARD, seq, 1));
          await checkpoint({ upserts: [record('a', seq + 1, seq + 1)], deletes: [], advance: advance(seq + 1) });
        }
        writing = false;
      };
      const written = write();
      while (writing) {
        const { head, checkpoint: folded, records, tail } = await log.load(BOARD);
        expect(records[0]?.seq ?? 0).toBe(folded);
        expect(tail).toHaveLength(head - folded);
      }
      await written;
    });

    async function own(id: string, victim?: { id: string; renewals: number }): Promise<ReadonlyMap<number, Tenure>> {
      await storage.leases.join({
        id,
        name: id,
        url: `http://${id}`,
        host: id,
        port: 1,
        machineId: 'm',
        leaseTtlMs: 3_000,
      });
      const taken = await storage.leases.takeOver(id, victim);
      return new Map(taken?.map((tenure) => [tenure.slot, tenure]));
    }

    async function raise(document: string): Promise<void> {
      const { kept } = await storage.leases.raise(ME, [tenureOf(document)]);
      tenures = new Map([...tenures, ...kept.map((tenure) => [tenure.slot, tenure] as const)]);
    }

    function tenureOf(document: string): Tenure {
      const tenure = tenures.get(slotOf(document));
      if (tenure === undefined) throw new Error(`nobody took the slot of ${document}`);
      return tenure;
    }

    function batch(document: string, head: number, count: number): Batch {
      const list = Array.from({ length: count }, (_, index) => placed(entry(head + 1 + index)));
      return { ...tenureOf(document), document, head: head as Seq, entries: list, bytes: count * 40 };
    }

    const append = (...batches: Batch[]) => appendAs(ME, ...batches);

    async function appendAs(owner: string, ...batches: Batch[]): Promise<Record<string, string>> {
      const outcome = await log.append(owner, batches);
      if (outcome.kind !== 'answered') throw new Error(`the flush was not answered: ${outcome.reason}`);
      return Object.fromEntries(outcome.verdicts);
    }

    async function entries(from: number, bytesMax: number): Promise<number[]> {
      const found = await log.entries(BOARD, from as Seq, bytesMax);
      if (found === 'trimmed') throw new Error('nothing was trimmed');
      expect(found).toEqual(found.map(({ seq }) => entry(seq)));
      return found.map(({ seq }) => seq);
    }

    const stepOf = (step: Omit<CheckpointStep, 'document' | 'slot' | 'epoch'>): CheckpointStep => ({
      ...tenureOf(BOARD),
      document: BOARD,
      ...step,
    });

    const checkpoint = (step: Omit<CheckpointStep, 'document' | 'slot' | 'epoch'>) => log.checkpoint(ME, stepOf(step));
  });
}

type Advance = NonNullable<CheckpointStep['advance']>;

function advance(checkpoint: number, marks: Advance['marks'] = []): Advance {
  return { checkpoint: checkpoint as Seq, forgottenTo: 0 as Seq, marks, forgotten: [] };
}

function entry(seq: number): LoggedEntry {
  const ops = [{ op: 'put', key: 'shape', value: { seq, text: 'naïve "quoted" \\ {braces}, 😀' } } as const];
  return { seq: seq as Seq, session: 's', opNo: seq, after: seq - 1, user: 'ada', at: 1_767_225_600_000 + seq, ops };
}

function record(key: string, seq: number, value: Json): RecordRow {
  return { key, seq: seq as Seq, value, bytes: jsonBytes(value), writer: 's', othersSeq: 0 as Seq };
}

function byKey(records: readonly RecordRow[]): readonly RecordRow[] {
  return records.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}
