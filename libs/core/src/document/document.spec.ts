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
import { refuse, stateHash, type Epoch, type Op, type Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import type { LoadedDocument } from './document-log.js';
import type { LoggedEntry } from './entry.js';
import { Document, WAITING_MAX } from './document.js';
import { Frames } from './fan-out.js';

describe('Document: order', () => {
  it('W2: hands out 1, 2, 3 … in order of arrival, whoever pushes', async () => {
    const { document, flush, clock } = openDocument();
    const first = watch(document.push(pushOf(1, [put('a', 1)])));
    const second = watch(document.push(pushOf(1, [put('b', 1)], { session: 's2' })));
    const third = watch(document.push(pushOf(2, [put('c', 1)])));
    expect(flush().map(({ seq, session, opNo }) => [seq, session, opNo])).toEqual([
      [1, 's1', 1],
      [2, 's2', 1],
      [3, 's1', 2],
    ]);
    await clock.settle();
    expect([first.answer, second.answer, third.answer]).toMatchObject([
      { ok: true, position: { timeline: 't', seq: 1 } },
      { ok: true, position: { seq: 2 } },
      { ok: true, position: { seq: 3 } },
    ]);
  });

  it('W8 R5: what is pending is neither shown, nor answered, nor counted in the position', async () => {
    const { document, fanOut, clock } = openDocument();
    join(document, fanOut);
    const answer = watch(document.push(pushOf(1, [put('a', 1)])));
    document.takeBatch(1 as Epoch, 10, 1_000);
    await clock.advance(1_000);
    expect(answer.answer).toBeUndefined();
    expect(document.read({})).toEqual({});
    expect(document.head).toBe(0);
    expect(document.recall('ada', 's1')).toEqual({ accepted: 0, recent: [] });
    expect(fanOut.delivered).toEqual([]);
  });

  it('shows a committed entry before it answers', async () => {
    const { document, fanOut, clock } = openDocument();
    const channel = join(document, fanOut);
    let framesAtAnswer = -1;
    void document.push(pushOf(1, [put('a', 1)])).then(() => (framesAtAnswer = channel.of('entries').length));
    document.takeBatch(1 as Epoch, 10, 1_000);
    document.commit();
    await clock.settle();
    expect(framesAtAnswer).toBe(1);
    expect(document.read({})).toEqual({ a: { value: 1, seq: 1 } });
  });

  it('has one flush in flight, and takes at least one entry, however large', async () => {
    const { document } = openDocument();
    for (let opNo = 1; opNo <= 3; opNo++) void document.push(pushOf(opNo, [put('a', 'x'.repeat(100))]));
    const batch = document.takeBatch(7 as Epoch, 10, 10);
    expect(batch).toMatchObject({ document: 'board', epoch: 7, head: 0, entries: [{ seq: 1 }] });
    expect(document.takeBatch(7 as Epoch, 10, 1_000)).toBeUndefined();
    document.commit();
    expect(document.takeBatch(7 as Epoch, 1, 1_000)).toMatchObject({ head: 1, entries: [{ seq: 2 }] });
    document.commit();
    expect(document.takeBatch(7 as Epoch, 10, 1_000)).toMatchObject({ head: 2, entries: [{ seq: 3 }] });
    document.commit();
    expect(document.takeBatch(7 as Epoch, 10, 1_000)).toBeUndefined();
  });

  it('bounds what waits, and says when to come again', async () => {
    const { document, clock } = openDocument();
    for (let n = 0; n < WAITING_MAX; n++) void document.push(pushOf(0, [put('a', n)], { session: `s${n}` }));
    const oneMore = watch(document.push(pushOf(0, [put('a', 0)], { session: 'late' })));
    await clock.settle();
    expect(oneMore.answer).toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 });
    expect(document.waitingCount).toBe(WAITING_MAX);
  });
});

describe('Document: conditions', () => {
  it('judges on committed and pending state together', async () => {
    const { document, flush, clock } = openDocument();
    void document.push(pushOf(1, [put('a', { n: 1 }, { absent: true })]));
    const taken = watch(document.push(pushOf(1, [put('a', 2, { absent: true })], { session: 's2' })));
    const exists = watch(document.push(pushOf(2, [add('a', 1, { exists: true })], { session: 's2', after: 0 })));
    flush();
    await clock.settle();
    expect(taken.answer).toMatchObject({ code: 'conflict', key: 'a', current: { n: 1 } });
    expect(exists.answer).toMatchObject({ ok: true, position: { seq: 2 } });
    expect(document.read({ keys: ['a'] })).toEqual({ a: { value: { n: 2 }, seq: 2 } });
  });

  it('a version condition is not broken by one’s own later writes, and is by those of others', async () => {
    const { document, flush, clock } = openDocument();
    void document.push(pushOf(1, [put('a', 1)]));
    flush();
    void document.push(pushOf(2, [put('a', 2)]));
    const own = watch(document.push(pushOf(3, [put('a', 3, { seq: 1 as Seq })])));
    const other = watch(document.push(pushOf(1, [put('a', 9, { seq: 1 as Seq })], { session: 's2' })));
    flush();
    await clock.settle();
    expect(own.answer).toMatchObject({ ok: true });
    expect(other.answer).toMatchObject({ code: 'conflict' });
  });

  it('is all or nothing: one op that can not be done undoes the push, and ops see those before them', async () => {
    const { document, flush, clock } = openDocument();
    const ops: Op[] = [put('a', 'text'), put('b', 1), add('a', 1)];
    const refused = watch(document.push(pushOf(1, ops)));
    void document.push(pushOf(2, [put('c', { n: 1 }), add('c', 4), add('c', 5)], { after: 0 }));
    flush();
    await clock.settle();
    expect(refused.answer).toMatchObject({ code: 'conflict', key: 'a' });
    expect(document.read({})).toEqual({ c: { value: { n: 10 }, seq: 1 } });
  });

  it('R5: a refusal judged while something pended is held until that is settled', async () => {
    const { document, flush, clock } = openDocument();
    void document.push(pushOf(1, [put('a', 'secret', { absent: true })]));
    const held = watch(document.push(pushOf(1, [put('a', 2, { absent: true })], { session: 's2' })));
    await clock.advance(5_000);
    expect(held.answer).toBeUndefined();
    flush();
    await clock.settle();
    expect(held.answer).toMatchObject({ code: 'conflict', current: 'secret' });
  });

  it('R5: a held refusal that rested on what never came to be is judged again', async () => {
    const { document, flush, clock } = openDocument();
    const first = watch(document.push(pushOf(1, [put('a', 'never')])));
    const held = watch(document.push(pushOf(1, [put('a', 2, { absent: true })], { session: 's2' })));
    document.takeBatch(1 as Epoch, 10, 1_000);
    document.takeBack(true);
    flush();
    await clock.settle();
    expect(first.answer).toMatchObject({ code: 'invalid' });
    expect(held.answer).toMatchObject({ ok: true, position: { seq: 1 } });
  });

  it('a refusal is answered at once where nothing pends', async () => {
    const { document, clock } = openDocument();
    const refused = watch(document.push(pushOf(1, [put('a', 1, { exists: true })])));
    await clock.settle();
    expect(refused.answer).toMatchObject({ code: 'conflict', current: null });
    expect(document.waitingCount).toBe(0);
  });
});

describe('Document: loading', () => {
  it('R4: records ahead of the checkpoint are not changed again by the tail', () => {
    const { document, entries } = written([[put('a', { n: 1 })], [add('a', 1)], [add('a', 1)], [put('b', 1)]]);
    const record = { key: 'a', seq: 3 as Seq, value: { n: 3 }, bytes: 7, writer: 's1 ada', othersSeq: 0 as Seq };
    const ahead: LoadedDocument = {
      ...NOTHING_WRITTEN,
      head: 4 as Seq,
      checkpoint: 1 as Seq,
      records: [record],
      tail: entries.slice(1),
    };
    const { document: loaded } = openDocument(ahead);
    expect(loaded.read({})).toEqual(document.read({}));
    expect(hashOf(loaded)).toBe(hashOf(document));
    expect(loaded.bytes).toBe(document.bytes);
  });

  it('R4: records behind the checkpoint’s tail catch up with it', () => {
    const { document, entries } = written([
      [put('a', { n: 1 })],
      [add('a', 1)],
      [{ op: 'delete', key: 'a' }],
      [put('a', 'x')],
    ]);
    const record = { key: 'a', seq: 2 as Seq, value: { n: 2 }, bytes: 7, writer: 's1 ada', othersSeq: 0 as Seq };
    const loaded = openDocument({
      ...NOTHING_WRITTEN,
      head: 4 as Seq,
      checkpoint: 2 as Seq,
      records: [record],
      tail: entries.slice(2),
    }).document;
    expect(loaded.read({})).toEqual(document.read({}));
    expect(loaded.head).toBe(4);
  });

  it('W7: refuses to live on a log that does not reach its head', () => {
    const { entries } = written([[put('a', 1)], [put('a', 2)]]);
    const torn = { ...NOTHING_WRITTEN, head: 3 as Seq, tail: entries };
    expect(() => openDocument(torn)).toThrow('the log of board ends at 2, its head says 3');
    const holed = { ...NOTHING_WRITTEN, head: 2 as Seq, tail: entries.slice(1) };
    expect(() => openDocument(holed)).toThrow('entry 2 does not follow 0');
  });
});

describe('Document: leaving memory', () => {
  it('is idle only without readers, without anything that waits, and without a checkpoint owed or running', () => {
    const { document, flush } = openDocument();
    expect(document.isIdle).toBe(true);
    document.readers++;
    expect(document.isIdle).toBe(false);
    document.readers--;
    void document.push(pushOf(1, [put('a', 1)]));
    expect(document.isIdle).toBe(false);
    flush();
    expect(document.checkpointState).toBe('due');
    expect(document.isIdle).toBe(false);
    const plan = document.planCheckpoint();
    expect(document.checkpointState).toBe('running');
    expect(document.isIdle).toBe(false);
    document.endCheckpoint(plan, true);
    expect(document.isIdle).toBe(true);
  });

  it('W5: of a push without a number that is in flight when the slot moves it is not said that it was not stored', async () => {
    const { document, clock } = openDocument();
    const inFlight = watch(document.push(pushOf(0, [put('a', 1)], { session: 'http.1', after: 0 })));
    document.takeBatch(1 as Epoch, 10, 1_000);
    const behind = watch(document.push(pushOf(0, [put('b', 1)], { session: 'http.2', after: 0 })));
    document.drop(refuse.moved({ id: 'b.1', name: 'b', url: 'http://b' }, 2 as Epoch, 0));
    await clock.settle();
    expect(inFlight.answer).toMatchObject({ code: 'unavailable' });
    expect(behind.answer).toMatchObject({ code: 'moved' });
  });

  it('answers everything that waits when it is dropped, and commits nothing afterwards', async () => {
    const { document, clock } = openDocument();
    const waiting = watch(document.push(pushOf(1, [put('a', 1)])));
    document.takeBatch(1 as Epoch, 10, 1_000);
    document.drop({ ok: false, code: 'unavailable', message: 'gone', retryAfterMs: 1 });
    document.commit();
    const later = watch(document.push(pushOf(2, [put('a', 2)])));
    await clock.settle();
    expect(waiting.answer).toMatchObject({ code: 'unavailable', message: 'gone' });
    expect(later.answer).toMatchObject({ code: 'unavailable' });
    expect(document.head).toBe(0);
    expect(document.takeBatch(1 as Epoch, 10, 1_000)).toBeUndefined();
  });
});

function openDocument(loaded: LoadedDocument = NOTHING_WRITTEN) {
  const clock = new FakeClock();
  const fanOut = new RecordingFanOut();
  const document = new Document('board', loaded, 't', clock, new Frames('board', fanOut, clock, 16));
  const flush = (): readonly LoggedEntry[] => {
    const batch = document.takeBatch(1 as Epoch, 1_000, 1_000_000);
    if (batch !== undefined) document.commit();
    return fromLog(batch?.entries ?? []);
  };
  return { clock, fanOut, document, flush };
}

function join(document: Document, fanOut: RecordingFanOut): RecordingChannel {
  document.readers++;
  const channel = new RecordingChannel(fanOut);
  channel.join('board');
  return channel;
}

/** A document that came to be by these pushes of one session, and its log. */
function written(pushes: readonly (readonly Op[])[]) {
  const { document, flush } = openDocument();
  for (const [index, ops] of pushes.entries()) void document.push(pushOf(index + 1, ops));
  return { document, entries: flush() };
}

function hashOf(document: Document): string {
  return stateHash(Object.entries(document.read({})));
}
