/** What becomes of a flush that did not fully succeed. */
import {
  FakeClock,
  NOTHING_WRITTEN,
  RecordingChannel,
  RecordingFanOut,
  add,
  pushOf,
  put,
  watch,
  fromLog,
} from '@homeport/testkit';
import { refuse, type Epoch, type Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import type { LoggedEntry } from './entry.js';
import { Document } from './document.js';
import { Frames } from './fan-out.js';

describe('Document: replay', () => {
  it('W9: nothing of a flush that is not in the log is answered, shown or kept; it goes again', async () => {
    const { document, push, flush, settle } = openDocument();
    const first = push(1, [put('a', 1)]);
    const second = push(2, [put('b', 1)]);
    document.takeBatch(1 as Epoch, 1, 1_000);
    document.settle();
    document.replay([]);
    await settle();
    expect([first.answer, second.answer, document.head]).toEqual([undefined, undefined, 0]);
    const entries = await flush();
    expect(entries.map(({ seq, opNo, after }) => [seq, opNo, after])).toEqual([
      [1, 1, 0],
      [2, 2, 1],
    ]);
    expect([first.answer, second.answer]).toMatchObject([{ position: { seq: 1 } }, { position: { seq: 2 } }]);
  });

  it('W9 W5: what turns out to be in the log is shown and answered, once', async () => {
    const { document, push, flush, settle, channel } = openDocument();
    const first = push(1, [put('a', { n: 1 })]);
    const second = push(2, [add('a', 1)]);
    const third = push(3, [add('a', 1)]);
    const batch = document.takeBatch(1 as Epoch, 2, 1_000)!;
    document.settle();
    document.replay(fromLog(batch.entries));
    await settle();
    expect([first.answer, second.answer]).toMatchObject([{ position: { seq: 1 } }, { position: { seq: 2 } }]);
    expect(third.answer).toBeUndefined();
    expect(document.read({})).toEqual({ a: { value: { n: 2 }, seq: 2 } });
    expect(channel.of('entries')).toMatchObject([{ from: 1, to: 2 }]);
    expect((await flush()).map(({ seq, opNo }) => [seq, opNo])).toEqual([[3, 3]]);
    expect(document.read({})).toEqual({ a: { value: { n: 3 }, seq: 3 } });
  });

  it('W4: marks go back with the order, so what is judged again is not taken for a repetition or a gap', async () => {
    const { document, push, flush } = openDocument();
    push(1, [put('a', 1)]);
    await flush();
    const second = push(2, [put('a', 2)]);
    const third = push(3, [put('a', 3)]);
    document.takeBatch(1 as Epoch, 10, 1_000);
    document.settle();
    expect(document.recall('ada', 's1')).toEqual({ accepted: 1, recent: [[1, 1]] });
    document.replay([]);
    await flush();
    expect([second.answer, third.answer]).toMatchObject([{ position: { seq: 2 } }, { position: { seq: 3 } }]);
  });

  it('while it settles, arrivals wait unjudged, in order, and a repetition joins its push', async () => {
    const { document, push, flush, settle } = openDocument();
    push(1, [put('a', 1)]);
    document.takeBatch(1 as Epoch, 10, 1_000);
    document.settle();
    const again = push(1, [put('a', 1)]);
    const conflict = push(1, [put('a', 9, { absent: true })], { session: 's2' });
    const next = push(2, [put('a', 2)]);
    await settle();
    expect([again.answer, conflict.answer, next.answer]).toEqual([undefined, undefined, undefined]);
    expect(document.takeBatch(1 as Epoch, 10, 1_000)).toBeUndefined();
    document.replay([]);
    await flush();
    expect(again.answer).toMatchObject({ position: { seq: 1 } });
    expect(conflict.answer).toMatchObject({ code: 'conflict', current: 1 });
    expect(next.answer).toMatchObject({ position: { seq: 2 } });
  });

  it('a push that nobody will repeat is known in the log by its place', async () => {
    const { document, push, settle } = openDocument();
    const once = push(0, [put('a', 1)], { session: 'made-for-it' });
    const batch = document.takeBatch(1 as Epoch, 10, 1_000)!;
    document.settle();
    document.replay(fromLog(batch.entries));
    await settle();
    expect(once.answer).toMatchObject({ ok: true, position: { seq: 1 } });
    expect(document.waitingCount).toBe(0);
  });

  it('X1: entries of somebody else in the log push the own ones back, and answer a twin sent elsewhere', async () => {
    const { document, push, flush, settle } = openDocument();
    const mine = push(1, [put('a', 1, { absent: true })]);
    const twin = push(1, [put('b', 1)], { session: 's2' });
    document.takeBatch(1 as Epoch, 10, 1_000);
    document.settle();
    const found = entryOf(1, 's2', [put('b', 1)]);
    document.replay([found]);
    await settle();
    expect(twin.answer).toMatchObject({ ok: true, position: { seq: 1 } });
    expect((await flush()).map(({ seq, session }) => [seq, session])).toEqual([[2, 's1']]);
    expect(mine.answer).toMatchObject({ position: { seq: 2 } });
  });

  it('an error reply takes the flush back as it is: the same entries go again', async () => {
    const { document, push, flush } = openDocument();
    const answer = push(1, [put('a', 1)]);
    const batch = document.takeBatch(1 as Epoch, 10, 1_000)!;
    document.takeBack(false);
    expect(await flush()).toEqual(batch.entries);
    expect(answer.answer).toMatchObject({ ok: true });
  });

  it('a push that can not be stored is refused for good, and those behind it are judged as if it had not been', async () => {
    const { document, push, flush } = openDocument();
    const poison = push(1, [put('a', 'poison')]);
    const behind = push(2, [put('b', 1)]);
    const other = push(1, [put('c', 1)], { session: 's2' });
    document.takeBatch(1 as Epoch, 1, 1_000);
    document.takeBack(true);
    await flush();
    expect(poison.answer).toMatchObject({ code: 'invalid' });
    expect(behind.answer).toMatchObject({ code: 'gap', accepted: 0 });
    expect(other.answer).toMatchObject({ ok: true, position: { seq: 1 } });
  });

  it('excuse: who has waited too long is told to ask again; the push keeps its place and is stored once', async () => {
    const { document, push, flush, clock } = openDocument();
    const late = push(1, [put('a', 1)]);
    await clock.advance(8_000);
    const young = push(1, [put('a', 1)]);
    document.excuse(clock.monotonicMs() - 5_000, refuse.unavailable('ask again', 1_000));
    await clock.settle();
    expect(late.answer).toMatchObject({ code: 'unavailable' });
    expect(young.answer).toBeUndefined();
    const again = push(1, [put('a', 1)]);
    expect((await flush()).map(({ seq }) => seq)).toEqual([1]);
    expect(young.answer).toMatchObject({ ok: true, position: { seq: 1 } });
    expect(again.answer).toEqual(young.answer);
  });

  it('excuse: what was not judged and that nobody waits for is forgotten; what has a place is not', async () => {
    const { document, push, flush, clock } = openDocument();
    push(1, [put('a', 1)]);
    document.takeBatch(1 as Epoch, 10, 1_000);
    document.settle();
    push(2, [put('a', 2)]);
    expect(document.waitingCount).toBe(2);
    await clock.advance(9_000);
    document.excuse(clock.monotonicMs(), refuse.unavailable('ask again', 1_000));
    expect(document.waitingCount).toBe(1);
    document.replay([]);
    expect((await flush()).map(({ opNo }) => opNo)).toEqual([1]);
  });
});

function openDocument() {
  const clock = new FakeClock();
  const fanOut = new RecordingFanOut();
  const document = new Document('board', NOTHING_WRITTEN, 't', clock, new Frames('board', fanOut, clock, 16));
  const channel = new RecordingChannel(fanOut);
  channel.join('board');
  document.readers++;
  const push = (...sample: Parameters<typeof pushOf>) => watch(document.push(pushOf(...sample)));
  const flush = async () => {
    const batch = document.takeBatch(1 as Epoch, 1_000, 1_000_000);
    if (batch !== undefined) document.commit();
    await clock.settle();
    return batch?.entries ?? [];
  };
  return { clock, document, channel, push, flush, settle: () => clock.settle() };
}

function entryOf(seq: number, session: string, ops: LoggedEntry['ops']): LoggedEntry {
  return { seq: seq as Seq, session, opNo: 1, after: 0, user: 'ada', at: 0, ops };
}
