import { TestHome, add, pushOf, put } from '@homeport/testkit';
import type { Epoch, Op, Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import type { NodeSettings } from '../node-settings.js';
import { CheckpointMarker, checkpointSteps, type CheckpointPlan } from './checkpoint.js';
import { Records } from './records.js';
import { SessionMarks } from './session-marks.js';
import { slotOf } from './slot.js';

const BOARD = 'board';
const SETTINGS = { checkpointEntries: 1, checkpointAfterMs: 500 };

describe('CheckpointMarker', () => {
  it('what it stores follows what changed, not how big the document is', () => {
    const { change, begin } = marker(10_000);
    change('k5', 10_001);
    change('k5', 10_002);
    change('k7', 10_003);
    const plan = begin(10_003);
    expect(plan.upserts.map(({ key, seq }) => [key, seq])).toEqual([
      ['k5', 10_002],
      ['k7', 10_003],
    ]);
  });

  it('a key that was deleted is deleted in the table, at the seq that did it', () => {
    const { change, begin } = marker(2);
    change('k1', 3, true);
    expect(begin(3)).toMatchObject({ upserts: [], deletes: [{ key: 'k1', seq: 3 }] });
  });

  it('clean, due, running; one at a time; after a failure everything is owed again, with what changed meanwhile', () => {
    const { change, begin, it } = marker(2);
    expect(it.state).toBe('clean');
    change('k0', 3);
    expect(it.state).toBe('due');
    const plan = begin(3);
    expect(it.state).toBe('running');
    expect(() => begin(3)).toThrow('one checkpoint of a document at a time');
    change('k0', 4, true);
    change('k1', 5);
    it.end(plan, false);
    expect([it.state, it.debt(5 as Seq)]).toEqual(['due', 3]);
    const again = begin(5);
    expect(again).toMatchObject({ upserts: [{ key: 'k1', seq: 5 }], deletes: [{ key: 'k0', seq: 4 }] });
    it.end(again, true);
    expect([it.state, it.debt(5 as Seq)]).toEqual(['clean', 0]);
  });
});

describe('checkpointSteps', () => {
  it('bounds every statement; only the last one advances', () => {
    const upserts = Array.from({ length: 700 }, (_, n) => row(`u${n}`, n + 1));
    const deletes = Array.from({ length: 900 }, (_, n) => ({ key: `d${n}`, seq: (n + 701) as Seq }));
    const plan: CheckpointPlan = {
      to: 1_600 as Seq,
      upserts,
      deletes,
      marks: [],
      forgotten: [],
      forgottenTo: 0 as Seq,
    };
    const steps = [...checkpointSteps(BOARD, { slot: slotOf(BOARD), epoch: 1 as Epoch }, plan)];
    for (const step of steps) expect(step.upserts.length + step.deletes.length).toBeLessThanOrEqual(500);
    expect(steps.flatMap((step) => step.upserts)).toEqual(upserts);
    expect(steps.flatMap((step) => step.deletes)).toEqual(deletes);
    expect(steps.map(({ advance }) => advance?.checkpoint)).toEqual([undefined, undefined, undefined, 1_600]);
  });

  it('splits by bytes as well, and an empty plan is one statement', () => {
    const wide = { ...row('a', 1), bytes: 3 * 1024 * 1024 };
    const plan = { to: 2 as Seq, deletes: [], marks: [], forgotten: [], forgottenTo: 0 as Seq };
    const tenure = { slot: slotOf(BOARD), epoch: 1 as Epoch };
    const steps = [...checkpointSteps(BOARD, tenure, { ...plan, upserts: [wide, { ...wide, key: 'b' }] })];
    expect(steps.map((step) => step.upserts.map(({ key }) => key))).toEqual([['a'], ['b']]);
    expect([...checkpointSteps(BOARD, tenure, { ...plan, upserts: [] })]).toHaveLength(1);
  });
});

describe('A checkpoint', () => {
  it('R4: a crash between two of its steps loses nothing and applies nothing twice', async () => {
    const { home, push } = await startHome();
    const keys = Array.from({ length: 600 }, (_, n) => `k${n}`);
    const halves = [keys.slice(0, 300), keys.slice(300)];
    for (const half of halves) await push(half.map((key) => put(key, { n: 1 })));
    await home.world.until('the first checkpoint', () => home.database.checkpointOf(BOARD) === 2);
    for (const half of halves) await push(half.map((key) => add(key, 1)));
    const isAhead = (key: string) => home.database.documents.get(BOARD)!.records.get(key)!.seq > 2;
    await home.world.until('the first step of the second checkpoint', () => keys.some(isAhead));
    expect(keys.every(isAhead)).toBe(false);
    home.crash();
    expect(home.database.checkpointOf(BOARD)).toBe(2);

    const next = await TestHome.start({
      world: home.world,
      database: home.database,
      info: { ...home.info, id: 'a.2' },
    });
    const read = await home.world.outcome('the read', next.document(BOARD).read({ document: BOARD }));
    if (!read.ok) throw new Error(read.message);
    expect(read.position.seq).toBe(4);
    for (const key of keys) expect(read.records[key]?.value).toEqual({ n: 2 });
  });

  it('W6: of a deposed owner it writes nothing, and stays owed', async () => {
    const { home, push } = await startHome({ checkpointEntries: 1_000, checkpointAfterMs: 5_000 });
    await push([put('a', 'old')]);
    home.database.slots[slotOf(BOARD)] = { owner: 'b.1', epoch: 2 as Epoch };
    await home.world.until('the checkpoint', () => home.probe.checkpoints.length > 0);
    expect(home.probe.checkpoints).toMatchObject([{ done: false }]);
    expect(home.database.checkpointOf(BOARD)).toBe(0);
    expect(home.database.documents.get(BOARD)!.records.size).toBe(0);
  });

  it('is due after so many entries, or after so long, and what changes while it runs is the next one', async () => {
    const { home, push } = await startHome({ checkpointEntries: 3, checkpointAfterMs: 5_000 });
    await push([put('a', 1)]);
    await home.world.advance(3_000);
    expect(home.database.checkpointOf(BOARD)).toBe(0);
    await push([put('a', 2)]);
    await push([put('a', 3)]);
    await home.world.advance(2_000);
    expect(home.database.checkpointOf(BOARD)).toBe(3);
    await push([put('b', 1)]);
    await home.world.advance(7_500);
    expect(home.database.checkpointOf(BOARD)).toBe(4);
    expect(home.probe.checkpoints).toMatchObject([
      { records: 1, done: true },
      { records: 1, done: true },
    ]);
  });

  it('W6 R4: a statement of one that was given up, and arrives after the next one, brings nothing back', async () => {
    let arrive: (() => void) | undefined;
    const home = await TestHome.start({
      settings: SETTINGS,
      log: (log) => {
        const checkpoint = log.checkpoint.bind(log);
        log.checkpoint = (owner, step) => {
          if (arrive !== undefined) return checkpoint(owner, step);
          arrive = () => void checkpoint(owner, step);
          return Promise.resolve('failed');
        };
        return log;
      },
    });
    const push = pushTo(home);
    await push([put('a', 'deleted later')]);
    await home.world.until('the checkpoint that gets stuck', () => arrive !== undefined);
    await push([{ op: 'delete', key: 'a' }]);
    await home.world.until('the next checkpoint', () => home.probe.checkpoints.some(({ done }) => done));
    expect(home.database.checkpointOf(BOARD)).toBe(2);
    arrive!();
    await home.world.advance(100);
    expect([...home.database.documents.get(BOARD)!.records.keys()]).toEqual([]);
  });

  it('one that failed is repeated, and a statement of it that arrives later changes nothing any more', async () => {
    const { home, push } = await startHome();
    home.faults.failNext('checkpoint', 'error');
    home.faults.failNext('checkpoint', 'answerLost');
    await push([put('a', 1), put('b', 1)]);
    await push([{ op: 'delete', key: 'b' }]);
    await home.world.until('the checkpoint', () => home.database.checkpointOf(BOARD) === 2);
    await home.world.until('its answer', () => home.probe.checkpoints.some(({ done }) => done));
    expect([...home.database.documents.get(BOARD)!.records.keys()]).toEqual(['a']);
  });
});

async function startHome(settings: Partial<NodeSettings> = SETTINGS) {
  const home = await TestHome.start({ settings });
  return { home, push: pushTo(home) };
}

function pushTo(home: TestHome) {
  let opNo = 0;
  return async (ops: readonly Op[]): Promise<void> => {
    const reply = await home.world.outcome('the ack', home.document(BOARD).push(pushOf(++opNo, ops)));
    expect(reply).toMatchObject({ ok: true });
  };
}

function row(key: string, seq: number) {
  return { key, seq: seq as Seq, value: 1, bytes: 1, writer: 's', othersSeq: 0 as Seq };
}

/** A marker of a document that holds k0, k1 … at a checkpoint of that many entries. */
function marker(count: number) {
  const records = new Records();
  const marks = new SessionMarks<never>([], 0 as Seq);
  for (let n = 0; n < count; n++) records.install({ key: `k${n}`, record: row(`k${n}`, n + 1) });
  const it = new CheckpointMarker(count as Seq);
  const change = (key: string, seq: number, gone = false): void => {
    const change = { key, record: gone ? undefined : row(key, seq) };
    records.install(change);
    it.changed([change], seq as Seq);
  };
  const begin = (head: number): CheckpointPlan => it.begin(head as Seq, records, marks, 0);
  return { it, change, begin };
}
