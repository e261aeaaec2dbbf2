import type { EntriesReply, Entry, RecordState, Seq } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../test/fake-clock.js';
import { SeededRandom } from '../test/seeded-random.js';
import { CatchUp, FETCH_JITTER_MS, HELD_ENTRIES_MAX } from './catch-up.js';

const entry = (seq: number): Entry => ({ seq: seq as Seq, session: 's', opNo: seq, user: 'u', at: 0, ops: [] });
const entries = (from: number, to: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, index) => entry(from + index));
const frame = (from: number, to: number) => ({
  document: 'd',
  from: from as Seq,
  to: to as Seq,
  entries: entries(from, to),
});
const record = (seq: number): RecordState => ({ value: seq, seq: seq as Seq });

describe('catch-up', () => {
  let clock: FakeClock;
  let catchUp: CatchUp;
  let applied: number[];
  let installed: { keys: string[]; seq: number; then: number[] }[];
  let settled: number;
  let fetches: { from: number; answer: (reply: EntriesReply) => void }[];

  beforeEach(() => {
    clock = new FakeClock();
    [applied, installed, settled, fetches] = [[], [], 0, []];
    catchUp = new CatchUp({
      clock,
      random: new SeededRandom(1),
      install: (records, seq, then) =>
        installed.push({ keys: [...records.keys()], seq, then: then.map((next) => next.seq) }),
      apply: (next) => applied.push(...next.map(({ seq }) => seq)),
      settled: () => settled++,
      fetch: (from, answer) => fetches.push({ from, answer }),
      refused: () => undefined,
    });
  });

  const open = (shown: number): void => {
    catchUp.begin();
    catchUp.opened({ tail: [] }, shown as Seq, shown as Seq);
  };

  it('D1: applies the next frames, drops those it has, takes the rest of one that overlaps', () => {
    open(5);
    catchUp.frame(frame(6, 7));
    catchUp.frame(frame(6, 7));
    catchUp.frame(frame(7, 9));
    expect(applied).toEqual([6, 7, 8, 9]);
    expect(settled).toBe(1);
  });

  it('C7, D1: never applies past a hole, and fetches what is missing after at most 200 ms', async () => {
    open(5);
    catchUp.frame(frame(8, 9));
    expect(applied).toEqual([]);
    await clock.advance(FETCH_JITTER_MS);
    expect(fetches.map(({ from }) => from)).toEqual([6]);
    fetches[0]!.answer({ ok: true, entries: entries(6, 7), to: 7 as Seq });
    expect(applied).toEqual([6, 7, 8, 9]);
  });

  it('fetches nothing if the missing frame comes by itself', async () => {
    open(5);
    catchUp.frame(frame(7, 7));
    catchUp.frame(frame(6, 6));
    await clock.advance(1_000);
    expect(applied).toEqual([6, 7]);
    expect(fetches).toEqual([]);
  });

  it('does not hear a fetch that was overtaken', async () => {
    open(5);
    catchUp.frame(frame(7, 7));
    await clock.advance(FETCH_JITTER_MS);
    catchUp.frame(frame(6, 6));
    fetches[0]!.answer({ ok: true, entries: entries(6, 7), to: 7 as Seq });
    expect(applied).toEqual([6, 7]);
  });

  it('D2: learns of a lost last frame from the beacon', async () => {
    open(5);
    catchUp.beacon(6 as Seq);
    await clock.advance(FETCH_JITTER_MS);
    expect(fetches.map(({ from }) => from)).toEqual([6]);
  });

  it('keeps frames that come before the reply of open, and between its pages', () => {
    catchUp.begin();
    catchUp.frame(frame(6, 6));
    catchUp.opened({ tail: entries(3, 4), next: 1 }, 2 as Seq, 5 as Seq);
    catchUp.frame(frame(7, 7));
    expect([...applied, settled]).toEqual([3, 4, 0]);
    catchUp.page({ tail: entries(5, 5) });
    expect([...applied, settled]).toEqual([3, 4, 5, 6, 7, 1]);
  });

  it('R4: shows no snapshot whose pages are of different moments before what they miss is there', () => {
    catchUp.begin();
    catchUp.opened({ snapshot: { records: { a: record(5) } }, next: 1 }, 0 as Seq, 10 as Seq);
    catchUp.page({ snapshot: { records: { b: record(12) } } });
    expect(installed).toEqual([]);
    catchUp.frame(frame(11, 12));
    expect(installed).toEqual([{ keys: ['a', 'b'], seq: 10, then: [11, 12] }]);
    expect(settled).toBe(1);
  });

  it('holds a bounded number of entries and fetches what it had to drop', async () => {
    catchUp.begin();
    for (let seq = 2; seq < HELD_ENTRIES_MAX + 10; seq++) catchUp.frame(frame(seq, seq));
    catchUp.opened({ tail: [] }, 1 as Seq, 1 as Seq);
    expect(applied.length).toBe(HELD_ENTRIES_MAX);
    await clock.advance(FETCH_JITTER_MS);
    expect(fetches.map(({ from }) => from)).toEqual([HELD_ENTRIES_MAX + 2]);
  });

  it('waits as long as the owner asks before the next fetch', async () => {
    open(5);
    catchUp.beacon(6 as Seq);
    await clock.advance(FETCH_JITTER_MS);
    fetches[0]!.answer({ ok: false, code: 'unavailable', message: '', retryAfterMs: 1_000 });
    await clock.advance(999);
    expect(fetches.length).toBe(1);
    await clock.advance(1_001);
    expect(fetches.length).toBe(2);
  });

  it('hears nothing between channels', () => {
    open(5);
    catchUp.away();
    catchUp.frame(frame(6, 6));
    expect(applied).toEqual([]);
  });
});
