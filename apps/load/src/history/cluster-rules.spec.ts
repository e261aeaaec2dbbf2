import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Seq } from '@homeport/protocol';
import { acked, change, entriesOf, goodRun, lateRead, rulesBroken, SUBSCRIBER } from '../../test/good-run.js';
import { check } from './checker.js';
import type { CopyOperation, Operation, ReadOperation } from './operation.js';
import { checkAvailability, gapsOf } from './rules/availability.js';
import { readSpans } from './span.js';

const DAVE = { client: 'dave', user: 'dave', session: 'dave' };

const shown = (o: Operation): o is CopyOperation & { shown: object } => o.kind === 'copy' && o.shown !== undefined;
const shownLate = (o: Operation): o is CopyOperation & { shown: object } => shown(o) && o.seq > 20;

/** A read of somebody who saw nothing before and compares no state. */
function foreign(read: ReadOperation, change: Partial<ReadOperation>): ReadOperation {
  const { hash: _, ...rest } = read;
  return { ...rest, ...DAVE, ...change };
}

describe('rule 3: the order of the log is that of real time', () => {
  it('W1: a write that was sent after another was acknowledged, and is before it in the log', () => {
    const run = goodRun();
    const early = run.history.find((o) => acked(o) && o.seq > 10)!;
    const late = run.history.findLast(acked)!;
    run.history[run.history.indexOf(early)] = { ...early, start: late.end + 0.1, end: late.end + 0.2 };
    expect(rulesBroken(run)).toEqual([3]);
  });

  it('R5: a read that shows what was sent only after it ended', () => {
    const run = goodRun();
    const read = run.history.find(lateRead)!;
    run.history.push(foreign(read, { seq: (read.seq + 5) as Seq }));
    expect(rulesBroken(run)).toContain(3);
  });

  it('R5: a frame that shows what was sent only after it', () => {
    const run = goodRun();
    change(run, shownLate, (o) => ({ ...o, end: o.end - 50 }));
    expect(rulesBroken(run)).toContain(3);
  });

  it('the first attempt of a push stands for all of them', () => {
    const run = goodRun();
    const early = run.history.find((o) => acked(o) && o.seq > 10)!;
    const late = run.history.findLast(acked)!;
    run.history.push({ ...early, start: late.end + 0.1, end: late.end + 0.2 });
    expect(rulesBroken(run)).toEqual([]);
  });
});

describe('rule 4: reads are linearizable', () => {
  it('R1: a read that lacks what somebody else was told before it began', () => {
    const run = goodRun();
    const read = run.history.find(lateRead)!;
    run.history.push(foreign(read, { seq: (read.seq - 1) as Seq }));
    expect(rulesBroken(run)).toEqual([4]);
  });

  it('R1: a read that lacks what a frame had shown to somebody', () => {
    const run = goodRun();
    const read = run.history.find(lateRead)!;
    const frame = run.history.filter(shown).find((o) => o.seq === read.seq)!;
    run.history = run.history.filter((o) => o === frame || (o.kind !== 'read' && o.kind !== 'copy'));
    const late = { start: frame.end + 0.1, end: frame.end + 0.2, seq: (frame.seq - 1) as Seq };
    run.history.push(foreign(read, late));
    expect(rulesBroken(run)).toContain(4);
  });

  it('a read beside the write may be answered before or after it', () => {
    const run = goodRun();
    const push = run.history.findLast(acked)!;
    const read = run.history.find(lateRead)!;
    for (const seq of [push.seq - 1, push.seq]) {
      const beside = { start: push.start, end: push.end, seq: seq as Seq };
      run.history.push({ ...foreign(read, beside), session: `dave-${seq}` });
    }
    expect(rulesBroken(run)).toEqual([]);
  });

  it('who asked for a stale answer may get one', () => {
    const run = goodRun();
    const read = run.history.find(lateRead)!;
    run.history.push(foreign(read, { seq: 1 as Seq, stale: true }));
    expect(rulesBroken(run)).toEqual([]);
  });
});

describe('rule 7: what subscribers were shown', () => {
  it('D1: a frame that was skipped', () => {
    const run = goodRun();
    run.history.splice(run.history.findIndex(shownLate), 1);
    expect(rulesBroken(run)).toEqual([7]);
  });

  it('D1: a frame that was shown twice', () => {
    const run = goodRun();
    const at = run.history.findIndex(shownLate);
    run.history.splice(at, 0, run.history[at]!);
    expect(rulesBroken(run)).toEqual([7]);
  });

  it('R5: an entry that the log holds with another content', () => {
    const run = goodRun();
    change(run, shownLate, (o) => ({ ...o, shown: { ...o.shown, digest: 'other' } as typeof o.shown }));
    expect(rulesBroken(run)).toEqual([7]);
  });

  it('R5: an entry beyond the end of the log', () => {
    const run = goodRun();
    const last = run.history.findLast(shown)!;
    const seq = (last.seq + 1) as Seq;
    run.history.push({ ...last, seq, shown: { from: seq, digest: 'any' } });
    expect(rulesBroken(run)).toEqual([7]);
  });

  it('a snapshot may stand anywhere, and the frames go on from there', () => {
    const run = goodRun();
    const at = run.history.findIndex(shownLate);
    const { shown: _, ...snapshot } = run.history[at] as CopyOperation;
    const mine = run.history.filter((o) => o.session === SUBSCRIBER.session);
    run.history = run.history.filter((o) => !mine.slice(3, mine.indexOf(run.history[at]!)).includes(o));
    run.history[run.history.findIndex(shownLate)] = snapshot;
    expect(rulesBroken(run)).toEqual([]);
  });
});

describe('rule 8: who may serve a slot', () => {
  it('O1: two nodes at one time', () => {
    const run = goodRun();
    const first = run.spans.findIndex(({ epoch }) => epoch === 1);
    run.spans[first] = { ...run.spans[first]!, until: 205 };
    expect(rulesBroken(run)).toEqual([8]);
  });

  it('O4: a node that says so once more after another has begun', () => {
    const run = goodRun();
    run.spans.push({ node: 'alpha', slot: 7, epoch: 1, from: 260, until: 260 });
    expect(rulesBroken(run)).toEqual([8]);
  });

  it('W10: one epoch with two owners, an epoch that falls', () => {
    const run = goodRun();
    run.spans.push({ node: 'gamma', slot: 7, epoch: 4, from: 900, until: 950 });
    expect(rulesBroken(run)).toEqual([8]);
    const other = goodRun();
    other.spans.push({ node: 'gamma', slot: 7, epoch: 2, from: 900, until: 950 });
    expect(rulesBroken(other)).toEqual([8]);
  });

  it('a node may raise the epoch of its own slot, and another slot is another matter', () => {
    const run = goodRun();
    run.spans.push({ node: 'beta', slot: 7, epoch: 5, from: 480, until: 600 });
    run.spans.push({ node: 'gamma', slot: 8, epoch: 1, from: 100, until: 900 });
    expect(rulesBroken(run)).toEqual([]);
  });

  it('reads the spans of a node that was killed while it wrote', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'homeport-spans-'));
    try {
      const { spans } = goodRun();
      await writeFile(join(folder, 'a.spans'), `${spans.map((span) => JSON.stringify(span)).join('\n')}\n{"node":"al`);
      expect(await readSpans(join(folder, 'a.spans'))).toEqual(spans);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('rule 9: availability', () => {
  it('a writer without an acknowledgement for much too long', () => {
    const run = goodRun();
    const { fault, start, end } = run.faults[0]!;
    run.history = run.history.filter(({ end: at }) => at < start - 80 || at > end + 80);
    run.faults = [{ fault, start, end, gapLimitMs: 10 }];
    expect(check(run).violations.some(({ rule, says }) => rule === 9 && says.includes('(kill)'))).toBe(true);
  });

  it('who pushes seldom has waited for nothing; who is stuck is not granted what only he is used to', () => {
    const acks = (session: string, ends: readonly number[]): Operation[] =>
      ends.map((end) => ({ kind: 'push', outcome: 'ok', document: 'd', user: 'u', session, end }) as Operation);
    const brokenIn = (history: Operation[]) =>
      checkAvailability({ history, log: [], spans: [], faults: [] }).map(({ says }) => says.split(' ')[0]);
    const rare = [0, 10_000, 20_000, 31_000];
    expect(brokenIn([...acks('ada', rare), ...acks('bob', [0, 11_000])])).toEqual([]);
    const often = [0, 100, 200, 300, 400];
    expect(brokenIn([...acks('ada', often), ...acks('bob', [0, 12_000])])).toEqual(['bob']);
    expect(brokenIn([...acks('ada', [...often, 12_000]), ...acks('bob', often)])).toEqual(['ada']);
  });

  it('tells the longest gap of each writer, in each fault and outside', () => {
    const ack = (end: number): Operation =>
      ({ kind: 'push', outcome: 'ok', document: 'd', user: 'u', session: 's', end }) as Operation;
    const history = [0, 10, 20, 120, 130, 180, 200].map(ack);
    const faults = [
      { fault: 'one', start: 30, end: 90, gapLimitMs: 1_000 },
      { fault: 'two', start: 140, end: 150, gapLimitMs: 1_000 },
      { fault: 'three', start: 300, end: 310, gapLimitMs: 1_000 },
    ];
    const gaps = gapsOf({ history, faults }).map(({ during, ms }) => [during?.fault, ms]);
    expect(gaps).toHaveLength(3);
    expect(gaps).toEqual(
      expect.arrayContaining([
        [undefined, 20],
        ['one', 100],
        ['two', 50],
      ]),
    );
  });
});

it('judges a long history within the time of a test', () => {
  const run = goodRun(20_000);
  expect(run.history.length).toBeGreaterThan(70_000);
  expect(entriesOf(run).length).toBe(18_000);
  expect(check(run).violations).toEqual([]);
});
