/** The table of what a push is answered that was, or may have been, sent before: row by row, and after a load. */
import { FakeClock, NOTHING_WRITTEN, RecordingFanOut, add, fromLog, pushOf, put, watch } from '@homeport/testkit';
import { LIMITS, type Epoch, type Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import type { LoadedDocument } from './document-log.js';
import { Document } from './document.js';
import { Frames } from './fan-out.js';
import { MARKS_MAX, MARK_KEPT_MS } from './session-marks.js';

const ADD = [add('a', 1)];

describe('Exactly once', () => {
  it('X1 W5: an answered opNo gets the same answer again and has no second effect', async () => {
    const { push, flush, document } = openDocument();
    const first = push(1, [put('a', { n: 0 })]);
    const second = push(2, ADD);
    await flush();
    const again = [push(2, ADD), push(1, [put('a', { n: 0 })])];
    await flush();
    expect(again[0]!.answer).toEqual(second.answer);
    expect(again[1]!.answer).toEqual(first.answer);
    expect(document.head).toBe(2);
    expect(document.read({})).toEqual({ a: { value: { n: 1 }, seq: 2 } });
  });

  it('X1: a pending opNo that is sent again waits for the same flush', async () => {
    const { push, flush, document, clock } = openDocument();
    const first = push(1, [put('a', 1)]);
    const again = push(1, [put('a', 1)]);
    await clock.settle();
    expect([first.answer, again.answer]).toEqual([undefined, undefined]);
    expect(document.waitingCount).toBe(1);
    await flush();
    expect(again.answer).toMatchObject({ ok: true, position: { seq: 1 } });
    expect(again.answer).toEqual(first.answer);
  });

  it('X5: a refused opNo gets the same refusal, though it would hold by now', async () => {
    const { push, flush } = openDocument();
    const refused = push(1, [put('a', 1, { exists: true })]);
    await flush();
    push(1, [put('a', 0)], { session: 's2' });
    await flush();
    const again = push(1, [put('a', 1, { exists: true })]);
    await flush();
    expect(refused.answer).toMatchObject({ code: 'conflict' });
    expect(again.answer).toEqual(refused.answer);
  });

  it('X5: a push that the database can not store gets the same refusal again, without another try', async () => {
    const { push, flush, document } = openDocument();
    const poison = push(1, [put('a', 'poison')]);
    document.takeBatch(1 as Epoch, 10, 1_000);
    document.takeBack(true);
    const again = push(1, [put('a', 'poison')]);
    const next = push(2, [put('a', 2)], { after: 0 });
    await flush();
    expect(poison.answer).toMatchObject({ code: 'invalid', path: 'ops' });
    expect(again.answer).toEqual(poison.answer);
    expect(next.answer).toMatchObject({ ok: true, position: { seq: 1 } });
  });

  it('X2: the same opNo with another content is somebody else: session_conflict', async () => {
    const { push, flush, document } = openDocument();
    push(1, [put('a', 1)]);
    const pending = push(1, [put('a', 2)]);
    await flush();
    const answered = push(1, [put('a', 3)]);
    await flush();
    expect(pending.answer).toMatchObject({ code: 'session_conflict' });
    expect(answered.answer).toMatchObject({ code: 'session_conflict' });
    expect(document.read({})).toEqual({ a: { value: 1, seq: 1 } });
  });

  it('X3: an opNo below the last accepted one that is not remembered is never evaluated: superseded', async () => {
    const { push, flush } = openDocument();
    push(3, [put('a', 1)], { after: 0 });
    await flush();
    const late = push(2, [put('b', 1)], { after: 0 });
    await flush();
    expect(late.answer).toMatchObject({ code: 'superseded' });
  });

  it('X3: answers are remembered for as many opNos as a client may have unanswered', async () => {
    const { push, flush } = openDocument();
    const kept = LIMITS.pendingPushes;
    for (let opNo = 1; opNo <= kept + 1; opNo++) push(opNo, [put('a', opNo)]);
    await flush();
    const forgotten = push(1, [put('a', 1)]);
    const oldest = push(2, [put('a', 2)]);
    await flush();
    expect(forgotten.answer).toMatchObject({ code: 'superseded' });
    expect(oldest.answer).toMatchObject({ ok: true, position: { seq: 2 } });
  });

  it('X4 W4: `after` must be the last accepted opNo, pending ones included: else gap', async () => {
    const { push, flush } = openDocument();
    push(1, [put('a', 1)]);
    const skipped = push(3, [put('a', 3)], { after: 2 });
    const stale = push(4, [put('a', 4)], { after: 0 });
    const right = push(5, [put('a', 5)], { after: 1 });
    const unknown = push(2, [put('a', 1)], { session: 's2', after: 1 });
    await flush();
    expect(skipped.answer).toMatchObject({ code: 'gap', accepted: 1 });
    expect(stale.answer).toMatchObject({ code: 'gap', accepted: 1 });
    expect(right.answer).toMatchObject({ ok: true });
    expect(unknown.answer).toMatchObject({ code: 'gap', accepted: 0 });
  });

  it('X4: a gap is not remembered: the same opNo may come again with the right `after`', async () => {
    const { push, flush } = openDocument();
    const refused = push(1, [put('a', 1, { exists: true })]);
    const behind = push(2, [put('a', 2)]);
    await flush();
    const again = push(2, [put('a', 2)], { after: 0 });
    await flush();
    expect(refused.answer).toMatchObject({ code: 'conflict' });
    expect(behind.answer).toMatchObject({ code: 'gap', accepted: 0 });
    expect(again.answer).toMatchObject({ ok: true });
  });

  it('sessions are kept apart by the authenticated user', async () => {
    const { push, flush, document } = openDocument();
    push(1, [put('a', 1)]);
    const other = push(1, [put('b', 1)], { user: 'eve' });
    await flush();
    expect(other.answer).toMatchObject({ ok: true, position: { seq: 2 } });
    expect(document.recall('eve', 's1')).toEqual({ accepted: 1, recent: [[1, 2]] });
  });

  it('opNo 0 is not remembered: nobody will repeat it', async () => {
    const { push, flush, document } = openDocument();
    const one = push(0, [put('a', 1)]);
    const two = push(0, [put('a', 1)]);
    await flush();
    expect([one.answer, two.answer]).toMatchObject([{ position: { seq: 1 } }, { position: { seq: 2 } }]);
    expect(document.recall('ada', 's1')).toEqual({ accepted: 0, recent: [] });
  });

  it('X7 W5: marks come back from a checkpoint and from the tail, and from any mix of the two', async () => {
    for (const checkpointAt of [0, 1, 2, 3]) {
      const { push, flush, document } = openDocument();
      const tail = [];
      const first = push(1, [put('a', { n: 0 })]);
      const second = push(2, ADD);
      const third = push(1, ADD, { session: 's2' });
      let saved: LoadedDocument = NOTHING_WRITTEN;
      for (let seq = 1; seq <= 3; seq++) {
        if (checkpointAt === seq - 1) saved = checkpointed(document);
        const entries = await flush(1);
        if (seq > checkpointAt) tail.push(...fromLog(entries));
      }
      if (checkpointAt === 3) saved = checkpointed(document);
      const loaded = openDocument({ ...saved, head: 3 as Seq, tail });
      const again = [loaded.push(1, [put('a', { n: 0 })]), loaded.push(2, ADD), loaded.push(1, ADD, { session: 's2' })];
      const next = loaded.push(3, ADD);
      await loaded.flush();
      expect(again.map(({ answer }) => answer)).toEqual([first.answer, second.answer, third.answer]);
      expect(next.answer).toMatchObject({ ok: true, position: { seq: 4 } });
      expect(loaded.document.read({})).toEqual({ a: { value: { n: 3 }, seq: 4 } });
    }
  });

  it('X6: a session that may have been forgotten is told so: expired', async () => {
    const { push, flush, document, clock } = openDocument();
    push(1, [put('a', 1)]);
    await flush();
    await clock.advance(MARK_KEPT_MS + 1);
    push(1, [put('a', 2)], { session: 'young' });
    await flush();
    const saved = checkpointed(document);
    expect(saved).toMatchObject({ forgottenTo: 1, marks: [{ session: 'young' }] });
    for (const there of [{ push, flush, document }, openDocument(saved)]) {
      const late = there.push(2, [put('a', 3)], { base: 0 as Seq });
      const opened = there.push(1, [put('b', 3)], { session: 'new', base: 2 as Seq });
      const { base: _, ...vouchedFor } = pushOf(1, [put('c', 3)], { session: 'newer' });
      const vouched = watch(there.document.push(vouchedFor));
      await there.flush();
      expect(late.answer).toMatchObject({ code: 'expired' });
      expect(opened.answer).toMatchObject({ ok: true });
      expect(vouched.answer).toMatchObject({ ok: true });
    }
  });

  it('X6: beyond the bound the oldest sessions are forgotten, and never one that awaits an answer', async () => {
    const { push, flush, document } = openDocument();
    for (let n = 0; n < MARKS_MAX + 2; n++) push(1, [put('a', n)], { session: `s${n}` });
    await flush(MARKS_MAX + 2);
    push(2, [put('a', 0)], { session: 's0' });
    const { forgotten, forgottenTo } = document.planCheckpoint();
    expect(forgotten.map(({ session }) => session)).toEqual(['s1', 's2']);
    expect(forgottenTo).toBe(3);
  });

  it('X6: which sessions are the oldest does not depend on the order in which they were stored', () => {
    const mark = (session: string, seq: number, at: number) => {
      return { user: 'ada', session, accepted: 1, recent: [], seq: seq as Seq, at };
    };
    const atMs = new FakeClock().wallMs();
    const { document } = openDocument({
      ...NOTHING_WRITTEN,
      head: 2 as Seq,
      checkpoint: 2 as Seq,
      marks: [mark('young', 2, atMs), mark('old', 1, atMs - MARK_KEPT_MS - 1)],
    });
    expect(document.planCheckpoint()).toMatchObject({ forgotten: [{ session: 'old' }], forgottenTo: 1 });
  });
});

function openDocument(loaded: LoadedDocument = NOTHING_WRITTEN) {
  const clock = new FakeClock();
  const document = new Document('board', loaded, 't', clock, new Frames('board', new RecordingFanOut(), clock, 16));
  const push = (...sample: Parameters<typeof pushOf>) => watch(document.push(pushOf(...sample)));
  const flush = async (entriesMax = 1_000) => {
    const batch = document.takeBatch(1 as Epoch, entriesMax, 10_000_000);
    if (batch !== undefined) document.commit();
    await clock.settle();
    return batch?.entries ?? [];
  };
  return { clock, document, push, flush };
}

/** What the tables hold once the document's checkpoint is done. */
function checkpointed(document: Document): LoadedDocument {
  const { to, upserts, marks, forgottenTo } = document.planCheckpoint();
  return { ...NOTHING_WRITTEN, head: to, checkpoint: to, records: upserts, marks, forgottenTo };
}
