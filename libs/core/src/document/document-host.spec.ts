import { TestHome, nodeNamed, pushOf, put, watch, type TestHomeParts } from '@homeport/testkit';
import type { DocumentId, ReadReply, Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import type { DocumentLog, LoadedDocument } from './document-log.js';
import { slotOf } from './slot.js';

const BOARD = 'board';

describe('DocumentHost: loading', () => {
  it('many who ask at once are one load, and loads are bounded', async () => {
    const { home } = await start({ settings: { loadsMax: 2 } });
    const loads = countLoads(home);
    const reads = Array.from({ length: 5 }, (_, n) => [read(home, `d${n}`), read(home, `d${n}`)]).flat();
    await home.world.until('all reads', () => reads.every(({ answer }) => answer?.ok));
    expect(loads()).toEqual(['d0', 'd1', 'd2', 'd3', 'd4']);
    expect(home.node.stats().documents).toBe(5);
  });

  it('a failed load refuses, is never an empty document, and is tried again by the next who asks', async () => {
    const { home, push } = await start();
    await push(1, 'kept');
    const next = await restart(home);
    next.faults.failNext('load', 'error');
    const refused = await next.world.outcome(
      'the refusal',
      next.document(BOARD).push(pushOf(2, [put('a', 2, { absent: true })])),
    );
    expect(refused).toMatchObject({ code: 'unavailable' });
    expect(next.node.stats().documents).toBe(0);
    const answer = await next.world.outcome('the read', next.document(BOARD).read({ document: BOARD }));
    expect(answer).toMatchObject({ ok: true, position: { seq: 1 }, records: { a: { value: 'kept', seq: 1 } } });
  });

  it('W7: a load begun in an older tenure is thrown away', async () => {
    const { home, push } = await start();
    await push(1, 'kept');
    const held: (() => void)[] = [];
    const next = await restart(home, {
      log: (log) => heldLoads(log, () => new Promise<void>((resolve) => held.push(resolve))),
    });
    const stale = read(next, BOARD);
    await next.world.until('the first load', () => held.length === 1);
    const { epoch } = next.database.slots[slotOf(BOARD)]!;
    next.faults.failNext('append', 'requestLost');
    const sibling = siblingOf(BOARD);
    const raising = watch(next.document(sibling).push(pushOf(1, [put('a', 1)])));
    await next.world.until('the load of the sibling', () => held.length === 2);
    held[1]!();
    await next.world.until('the ack of the sibling', () => raising.answer !== undefined);
    expect(next.database.slots[slotOf(BOARD)]!.epoch).toBeGreaterThan(epoch);
    held[0]!();
    await next.world.until('the second load of the board', () => held.length === 3);
    expect(stale.answer).toBeUndefined();
    held[2]!();
    await next.world.until('the read', () => stale.answer !== undefined);
    expect(stale.answer).toMatchObject({ ok: true, position: { seq: 1 } });
  });
});

describe('DocumentHost: serving', () => {
  it('R1 E6: nothing is read or pushed once the lease has run out, unless a reader allows stale state', async () => {
    const { home, push } = await start();
    await push(1, 'kept');
    home.database.freeze();
    await home.world.advance(2_000);
    expect(await answered(home, read(home, BOARD))).toMatchObject({ ok: true, position: { seq: 1 } });
    await home.world.advance(2_000);
    expect(await answered(home, read(home, BOARD))).toMatchObject({ code: 'unavailable' });
    const late = watch(home.document(BOARD).push(pushOf(2, [put('a', 2)])));
    expect(await answered(home, late)).toMatchObject({ code: 'unavailable' });
    const stale = watch(home.document(BOARD).read({ document: BOARD, allowStale: true }));
    expect(await answered(home, stale)).toMatchObject({ ok: true, stale: true, position: { seq: 1 } });
    home.database.start();
    await home.world.advance(1_000);
    expect(await answered(home, read(home, BOARD))).toMatchObject({ ok: true });
  });

  it('R3: a read never answers below the position that it asks for', async () => {
    const { home, push } = await start();
    await push(1, 'x');
    const ask = (more: object) => answered(home, watch(home.document(BOARD).read({ document: BOARD, ...more })));
    expect(await ask({ minSeq: 1, timeline: 'timeline-1' })).toMatchObject({ ok: true });
    expect(await ask({ minSeq: 2 })).toMatchObject({ code: 'resync' });
    expect(await ask({ minSeq: 0, timeline: 'another' })).toMatchObject({ code: 'resync' });
    expect(await ask({ keys: ['a', 'b'], prefix: 'a' })).toMatchObject({ records: { a: { seq: 1 } } });
    expect(await ask({ prefix: 'b' })).toMatchObject({ records: {} });
  });

  it('entries: from memory or the log, committed ones only; beyond the head and below the log it says resync', async () => {
    const { home, push } = await start();
    for (let opNo = 1; opNo <= 5; opNo++) await push(opNo, opNo);
    const entries = (there: TestHome, from: number) =>
      answered(there, watch(there.document(BOARD).entries(from as Seq)));
    expect(await entries(home, 4)).toMatchObject({ ok: true, entries: [{ seq: 4 }, { seq: 5 }], to: 5 });
    expect(await entries(home, 6)).toMatchObject({ ok: true, entries: [], to: 5 });
    expect(await entries(home, 7)).toMatchObject({ code: 'resync' });
    await home.world.outcome('the drain', home.node.drain());
    const next = await restart(home);
    const fromLog = await entries(next, 2);
    expect(fromLog).toMatchObject({ ok: true, to: 5 });
    expect(fromLog).not.toHaveProperty('entries.0.after');
    home.database.trim(BOARD, 5 as Seq);
    expect(await entries(next, 2)).toMatchObject({ code: 'resync' });
    next.faults.failNext('entries', 'error');
    expect(await entries(next, 5)).toMatchObject({ code: 'unavailable' });
  });

  it('E6: a push that has waited too long is told to ask again, keeps its place, and is saved when the database is back', async () => {
    const { home, push } = await start();
    await push(1, 'x');
    home.database.freeze();
    const waiting = watch(home.document(BOARD).push(pushOf(2, [put('a', 2)])));
    await home.world.until('the excuse', () => waiting.answer !== undefined);
    expect(waiting.answer).toMatchObject({ code: 'unavailable' });
    expect(home.database.headOf(BOARD)).toBe(1);
    home.database.start();
    await home.world.until('the commit', () => home.database.headOf(BOARD) === 2);
    await home.world.until('the lease', () => home.node.stats().pendingPushes === 0);
    await home.world.advance(1_000);
    expect(await push(2, 2)).toMatchObject({ ok: true, position: { seq: 2 } });
    expect(home.database.headOf(BOARD)).toBe(2);
  });

  it('D2: while somebody reads and something happens, a beacon tells the head, and never runs ahead of a held frame', async () => {
    const { home } = await start();
    const { session, channel } = home.connect('s1');
    await home.world.outcome('the open', session.receive('open', { document: BOARD })!);
    for (let opNo = 1; opNo <= 300; opNo++) {
      const { after, ops } = pushOf(opNo, [put('a', opNo)]);
      void session.receive('push', { document: BOARD, opNo, after, ops });
      await home.world.advance(10);
    }
    let position = 0;
    for (const { event, payload } of channel.heard) {
      if (event === 'entries') position = payload.to;
      if (event === 'head') expect(payload.seq).toBeLessThanOrEqual(position);
    }
    const beacons = () => channel.of('head').length;
    expect(beacons()).toBeGreaterThanOrEqual(2);
    await home.world.advance(6_000);
    const quiet = beacons();
    await home.world.advance(10_000);
    expect(beacons()).toBe(quiet);
  });
});

describe('DocumentHost: eviction', () => {
  it('an idle document leaves memory once its checkpoint is done, and comes back as it was', async () => {
    const { home, push } = await start({ settings: { idleMs: 10_000, checkpointAfterMs: 1_000 } });
    await push(1, 'kept');
    await home.world.advance(9_000);
    expect(home.node.stats().documents).toBe(1);
    await home.world.until('the eviction', () => home.node.stats().documents === 0);
    expect(home.database.checkpointOf(BOARD)).toBe(1);
    expect(await push(1, 'kept')).toMatchObject({ ok: true, position: { seq: 1 } });
    expect(await push(2, 'more')).toMatchObject({ ok: true, position: { seq: 2 } });
  });

  it('beyond the memory budget the longest idle leave first; a document with readers never does', async () => {
    const { home } = await start({ settings: { memoryBudgetBytes: 2 * 4096 + 100, checkpointAfterMs: 100 } });
    const { session } = home.connect('s1');
    await home.world.outcome('the open', session.receive('open', { document: 'read' })!);
    for (const id of ['first', 'second', 'third']) {
      await answered(home, watch(home.document(id).push(pushOf(1, [put('a', 1)]))));
      await home.world.advance(10);
    }
    const loads = countLoads(home);
    await home.world.until('the evictions', () => home.node.stats().documents === 2);
    for (const id of ['read', 'third', 'second', 'first']) await answered(home, read(home, id));
    expect(loads()).toEqual(['second', 'first']);
  });

  it('a document whose checkpoint can not be written stays', async () => {
    const { home, push } = await start({ settings: { idleMs: 1_000, checkpointAfterMs: 100 } });
    await push(1, 'kept');
    for (let n = 0; n < 100; n++) home.faults.failNext('checkpoint', 'error');
    await home.world.advance(20_000);
    expect(home.node.stats().documents).toBe(1);
    expect(home.probe.checkpoints.every(({ done }) => !done)).toBe(true);
  });

  it('W6: after a step without an answer, the next checkpoint raises the epoch first, so that it can not come through', async () => {
    const { home, push } = await start({ settings: { checkpointAfterMs: 100 } });
    await push(1, 'kept');
    const epoch = () => home.database.slots[slotOf(BOARD)]!.epoch;
    const before = epoch();
    home.faults.failNext('checkpoint', 'requestLost');
    await home.world.until('the failure', () => home.probe.checkpoints.length === 1);
    expect(epoch()).toBe(before);
    await home.world.until('the next checkpoint', () => home.probe.checkpoints.length === 2);
    expect(home.probe.checkpoints.map(({ done }) => done)).toEqual([false, true]);
    expect(epoch()).toBe(before + 1);
    expect(home.database.checkpointOf(BOARD)).toBe(1);
    expect(await push(2, 'more')).toMatchObject({ ok: true, position: { seq: 2 } });
  });
});

async function start(parts: Partial<TestHomeParts> = {}) {
  const home = await TestHome.start(parts);
  const push = (opNo: number, value: string | number) =>
    answered(home, watch(home.document(BOARD).push(pushOf(opNo, [put('a', value)]))));
  return { home, push };
}

/** The process ends, however it stood, and comes back as a new incarnation. */
async function restart(home: TestHome, parts: Partial<TestHomeParts> = {}): Promise<TestHome> {
  home.crash();
  const info = nodeNamed('a', 2);
  return TestHome.start({ world: home.world, database: home.database, info, ...parts }, 'alone');
}

function read(home: TestHome, document: DocumentId): { readonly answer: ReadReply | undefined } {
  return watch(home.document(document).read({ document }));
}

async function answered<T>(home: TestHome, watched: { readonly answer: T | undefined }): Promise<T> {
  await home.world.until('an answer', () => watched.answer !== undefined);
  return watched.answer!;
}

/** What is loaded from here on, in order. */
function countLoads(home: TestHome): () => DocumentId[] {
  const before = home.loads.length;
  return () => home.loads.slice(before);
}

function heldLoads(log: DocumentLog, hold: () => Promise<void>): DocumentLog {
  const load = log.load.bind(log);
  log.load = async (document: DocumentId): Promise<LoadedDocument> => {
    const loaded = await load(document);
    await hold();
    return loaded;
  };
  return log;
}

/** Another document of the same slot. */
function siblingOf(document: DocumentId): DocumentId {
  for (let n = 0; ; n++) if (slotOf(`sibling-${n}`) === slotOf(document)) return `sibling-${n}`;
}
