import { placed, slotOf, type Batch, type CheckpointStep, type LoggedEntry, type NodeInfo } from '@homeport/core';
import type { Epoch, Seq } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeDocumentLog } from './contracts/document-log.contract.js';
import { FakeClock } from './fake-clock.js';
import { MemoryDatabase } from './memory-database.js';
import { MemoryDocumentLog } from './memory-document-log.js';
import { MemoryLeaseTable } from './memory-lease-table.js';
import { FaultPlan, MemoryLink } from './memory-link.js';
import { SeededRandom } from './seeded-random.js';

const BOARD = 'board-1';
const SLOT = slotOf(BOARD);

describeDocumentLog('MemoryDocumentLog', async () => {
  const clock = new FakeClock();
  const link = new MemoryLink(new MemoryDatabase(clock, new SeededRandom(1)));
  return { log: new MemoryDocumentLog(link), leases: new MemoryLeaseTable(link), close: clock.run() };
});

describe('MemoryDocumentLog, beside its contract', () => {
  let clock: FakeClock;
  let database: MemoryDatabase;
  beforeEach(() => {
    clock = new FakeClock();
    database = new MemoryDatabase(clock, new SeededRandom(1));
  });

  it('W6: a flush at an older epoch writes nothing, however late it arrives', async () => {
    const a = await start('a.1');
    const b = await start('b.1', 'a.1');
    const flushes = [a.log.append('a.1', [batch(1, 0, 1)]), b.log.append('b.1', [batch(2, 0, 1)])];
    const [old, present] = await clock.outcome('both flushes', Promise.all(flushes));
    expect(old).toEqual({ kind: 'answered', verdicts: new Map([[BOARD, 'fenced']]) });
    expect(present).toEqual({ kind: 'answered', verdicts: new Map([[BOARD, 'durable']]) });
    expect(database.logOf(BOARD).map(({ epoch }) => epoch)).toEqual([2]);
  });

  it('W6: flush and takeover race at every step, and no load after a takeover misses an entry', async () => {
    let flushedFirst = 0;
    for (let seed = 0; seed < 200; seed++) {
      clock = new FakeClock();
      database = new MemoryDatabase(clock, new SeededRandom(seed));
      const a = await start('a.1');
      const b = await start('b.1');
      const flush = a.log.append('a.1', [batch(1, 0, 1)]);
      await clock.advance(database.random.between(0, 6));
      const renewals = database.nodes.get('a.1')!.renewals;
      const moved = b.leases.takeOver('b.1', { id: 'a.1', renewals }).then(() => b.log.load(BOARD));
      const [outcome, loaded] = await clock.outcome('flush and takeover', Promise.all([flush, moved]));
      const durable = outcome.kind === 'answered' && outcome.verdicts.get(BOARD) === 'durable';
      if (durable) flushedFirst++;
      expect(loaded.head, `seed ${seed}`).toBe(durable ? 1 : 0);
    }
    expect(flushedFirst).toBeGreaterThan(20);
    expect(flushedFirst).toBeLessThan(180);
  });

  it('tells a head that is not the one expected from a fence that did not hold', async () => {
    const a = await start('a.1');
    await clock.outcome('the first flush', a.log.append('a.1', [batch(1, 0, 2)]));
    const outcome = await clock.outcome('the second', a.log.append('a.1', [batch(1, 1, 1)]));
    expect(outcome).toEqual({ kind: 'answered', verdicts: new Map([[BOARD, 'diverged']]) });
    expect(database.headOf(BOARD)).toBe(2);
  });

  it('has no answer for a flush that is stored, for one that is not, and an error for one that failed', async () => {
    const a = await start('a.1');
    a.faults.failNext('append', 'requestLost');
    expect(await clock.outcome('a lost request', a.log.append('a.1', [batch(1, 0, 1)]))).toMatchObject({
      kind: 'unknown',
    });
    await clock.advance(10_000);
    expect(database.headOf(BOARD)).toBe(0);

    a.faults.failNext('append', 'answerLost');
    expect(await clock.outcome('a lost answer', a.log.append('a.1', [batch(1, 0, 1)]))).toMatchObject({
      kind: 'unknown',
    });
    await clock.advance(10_000);
    expect(database.headOf(BOARD)).toBe(1);

    a.faults.failNext('append', 'error');
    const failed = await clock.outcome('an error', a.log.append('a.1', [batch(1, 1, 1)]));
    expect(failed).toMatchObject({ kind: 'failed', poison: false });
    expect(database.headOf(BOARD)).toBe(1);
  });

  it('W9: a flush that was given up while the server hung is stored when it thaws, or is fenced by the raise', async () => {
    const a = await start('a.1');
    database.freeze();
    const flush = a.log.append('a.1', [batch(1, 0, 1)]);
    expect(await clock.outcome('the deadline', flush)).toMatchObject({ kind: 'unknown' });
    const raise = a.leases.raise('a.1', [{ slot: SLOT, epoch: 1 as Epoch }]);
    await clock.advance(100);
    database.start();
    const { kept } = await clock.outcome('the raise', raise);
    expect(kept).toEqual([{ slot: SLOT, epoch: 2 }]);
    const head = database.headOf(BOARD);
    await clock.advance(10_000);
    expect(database.headOf(BOARD)).toBe(head);
  });

  it('refuses connections while it is away, and forgets what was not committed', async () => {
    const a = await start('a.1');
    const flush = a.log.append('a.1', [batch(1, 0, 1)]);
    await clock.advance(1);
    database.stop();
    expect((await clock.outcome('the flush under way', flush)).kind).not.toBe('answered');
    const refused = await clock.outcome('the next', a.log.append('a.1', [batch(1, 0, 1)]));
    expect(refused).toMatchObject({ kind: 'failed', poison: false });
    await expect(clock.outcome('a load', a.log.load(BOARD))).rejects.toThrow('refused');
    database.start();
    const again = await clock.outcome('the flush after it', a.log.append('a.1', [batch(1, database.headOf(BOARD), 1)]));
    expect(again).toMatchObject({ kind: 'answered' });
  });

  it('refuses poisoned data for good', async () => {
    const a = await start('a.1', undefined, (entry) => JSON.stringify(entry).includes('poison'));
    const outcome = await clock.outcome('the flush', a.log.append('a.1', [batch(1, 0, 1, 'poison')]));
    expect(outcome).toMatchObject({ kind: 'failed', poison: true });
  });

  it('never answers a process that died', async () => {
    const a = await start('a.1');
    let heard = false;
    void a.log.append('a.1', [batch(1, 0, 1)]).then(() => (heard = true));
    await clock.advance(0.5);
    a.link.cut();
    await clock.advance(20_000);
    expect(heard).toBe(false);
    expect(database.advisoryLocks.has('a.1')).toBe(false);
  });

  it('W6: a checkpoint keeps to the fence, and neither raises old rows nor moves back', async () => {
    const a = await start('a.1');
    await clock.outcome('the flush', a.log.append('a.1', [batch(1, 0, 3)]));
    const step = (seq: number, checkpoint: number, epoch = 1): CheckpointStep => ({
      document: BOARD,
      slot: SLOT,
      epoch: epoch as Epoch,
      upserts: [{ key: 'shape', seq: seq as Seq, value: { seq }, bytes: 9, writer: 's', othersSeq: 0 as Seq }],
      deletes: [],
      advance: { checkpoint: checkpoint as Seq, forgottenTo: 0 as Seq, marks: [], forgotten: [] },
    });
    expect(await clock.outcome('a checkpoint', a.log.checkpoint('a.1', step(3, 3)))).toBe('done');
    expect(await clock.outcome('a late one', a.log.checkpoint('a.1', step(1, 1)))).toBe('done');
    expect(await clock.outcome('a fenced one', a.log.checkpoint('a.1', step(9, 9, 7)))).toBe('fenced');
    const loaded = await clock.outcome('the load', a.log.load(BOARD));
    expect(loaded).toMatchObject({
      head: 3,
      checkpoint: 3,
      tail: [],
      records: [{ key: 'shape', seq: 3, value: { seq: 3 } }],
    });

    database.trim(BOARD, 3 as Seq);
    expect(await clock.outcome('the entries', a.log.entries(BOARD, 1 as Seq, 1_000))).toBe('trimmed');
    expect(await clock.outcome('no entries', a.log.entries(BOARD, 4 as Seq, 1_000))).toEqual([]);
  });

  it('gives at least one entry, and about as many bytes as asked for', async () => {
    const a = await start('a.1');
    await clock.outcome('the flush', a.log.append('a.1', [batch(1, 0, 10)]));
    const one = await clock.outcome('one', a.log.entries(BOARD, 4 as Seq, 1));
    expect(one).toMatchObject([{ seq: 4 }]);
    const rest = await clock.outcome('all', a.log.entries(BOARD, 4 as Seq, 100_000));
    expect(rest).toHaveLength(7);
  });

  async function start(id: string, victim?: string, poison?: (entry: LoggedEntry) => boolean) {
    const faults = new FaultPlan();
    const link = new MemoryLink(database, faults);
    const log = new MemoryDocumentLog(link, poison);
    const leases = new MemoryLeaseTable(link);
    await clock.outcome('the join', leases.join(nodeOf(id)));
    const dying = victim === undefined ? undefined : { id: victim, renewals: database.nodes.get(victim)!.renewals };
    await clock.outcome('the takeover', leases.takeOver(id, dying));
    return { link, log, leases, faults };
  }
});

function nodeOf(id: string): NodeInfo {
  return { id, name: id, url: `http://${id}`, host: id, port: 1, machineId: 'm', leaseTtlMs: 3_000 };
}

function batch(epoch: number, head: number, count: number, key = 'shape'): Batch {
  const entries = Array.from({ length: count }, (_, index) => placed(entryOf(head + 1 + index, key)));
  return { document: BOARD, slot: SLOT, epoch: epoch as Epoch, head: head as Seq, entries, bytes: 50 * count };
}

function entryOf(seq: number, key: string): LoggedEntry {
  const ops = [{ op: 'put', key, value: seq } as const];
  return { seq: seq as Seq, session: 's', opNo: seq, after: seq - 1, user: 'ada', at: 0, ops };
}
