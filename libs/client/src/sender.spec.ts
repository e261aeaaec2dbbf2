import { refuse, type PushReply, type PushRequest, type Seq } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../test/fake-clock.js';
import { HomeportError } from './homeport-error.js';
import { Pending } from './pending.js';
import type { PushKind } from './pending-push.js';
import { Sender } from './sender.js';

const ROOM = { ops: 500, bytes: 100_000, messageBytes: 200_000 };

describe('sending pushes', () => {
  let clock: FakeClock;
  let pending: Pending;
  let sender: Sender;
  let sent: { push: Omit<PushRequest, 'document'>; answer: (reply: PushReply) => void }[];
  let interrupted: string[];
  let windowMax: number;

  beforeEach(() => {
    clock = new FakeClock();
    pending = new Pending(0);
    [sent, interrupted, windowMax] = [[], [], 64];
    sender = new Sender(pending, {
      clock,
      frameMs: 16,
      windowMax: () => windowMax,
      emit: (push, answer) => sent.push({ push, answer }),
      acknowledged: (opNo, { position }) => void pending.acknowledge(opNo, position),
      refused: (push, refusal) => void pending.remove(push, HomeportError.from(refusal)),
      interrupted: ({ code }) => void interrupted.push(code),
    });
    pending.begin({ timeline: 't', seq: 7 as Seq }, 0);
    sender.open();
  });

  const write = async (kind: PushKind = 'whole', key = 'k'): Promise<void> => {
    pending.add(kind, [{ op: 'put', key, value: 1 }], ROOM)?.catch(() => undefined);
    sender.written(kind === 'whole');
    await clock.settle();
  };
  const ok = (seq: number): PushReply => ({ ok: true, position: { timeline: 't', seq: seq as Seq } });
  const told = (): [opNo: number, after: number, base: number | undefined][] =>
    sent.map(({ push: { opNo, after, base } }) => [opNo, after, base]);

  it('C3, W4: numbers pushes when they are first sent, each naming the one before it', async () => {
    for (let i = 0; i < 3; i++) await write();
    expect(told()).toEqual([
      [1, 0, 7],
      [2, 1, 7],
      [3, 2, 7],
    ]);
  });

  it('has at most as many unanswered as the server remembers', async () => {
    for (let i = 0; i < 100; i++) await write();
    expect(sent.length).toBe(64);
    sent[0]!.answer(ok(8));
    await clock.settle();
    expect(sent.length).toBe(65);
  });

  it('never lets the numbers run further ahead of an unanswered one than the server remembers', async () => {
    windowMax = 4;
    for (let i = 0; i < 10; i++) await write();
    for (const opNo of [2, 3, 4]) sent[opNo - 1]!.answer(ok(opNo + 7));
    await clock.settle();
    expect(sent.length).toBe(4);
    sent[0]!.answer(ok(8));
    await clock.settle();
    expect(sent.length).toBe(8);
  });

  it('merges what is written within one frame, and sends the first at once', async () => {
    await write('mergeable', 'a');
    expect(sent.length).toBe(1);
    for (let i = 0; i < 5; i++) await write('mergeable', 'a');
    await write('mergeable', 'b');
    expect(sent.length).toBe(1);
    await clock.advance(16);
    expect(sent.length).toBe(2);
    expect(sent[1]!.push.ops.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('keeps the order of whole pushes and merged writes', async () => {
    await write('mergeable', 'a');
    await write('mergeable', 'b');
    await write('whole', 'c');
    expect(sent.map(({ push }) => push.ops[0]!.key)).toEqual(['a', 'b', 'c']);
  });

  it('C4: after a refusal of the head lets all answers come, then sends again from the head, once', async () => {
    for (let i = 0; i < 4; i++) await write();
    // The gaps may overtake the refusal, which waits for the commit of what it has seen.
    sent[2]!.answer(refuse.gap(1));
    sent[0]!.answer(ok(8));
    sent[3]!.answer(refuse.gap(1));
    await write();
    expect(sent.length).toBe(4);
    sent[1]!.answer(refuse.conflict('k', null, 'no'));
    await clock.settle();
    expect(told().slice(4)).toEqual([
      [3, 1, 8],
      [4, 3, 8],
      [5, 4, 8],
    ]);
  });

  it('C5, W5: sends the same under the same number on the next channel, and does not hear the old one', async () => {
    await write();
    sender.sendAgain();
    sender.open();
    expect(told()).toEqual([
      [1, 0, 7],
      [1, 0, 7],
    ]);
    expect(sent[1]!.push.ops).toBe(sent[0]!.push.ops);
    sent[0]!.answer(refuse.conflict('k', null, 'late'));
    expect(pending.count).toBe(1);
    sent[1]!.answer(ok(8));
    expect(pending.count).toBe(0);
  });

  it('X1: asked to send again what lies before an acknowledged push, names nothing above it', async () => {
    await write();
    await write();
    await write();
    sent[1]!.answer(refuse.unavailable('the database does not answer', 100));
    sent[0]!.answer(ok(8));
    sent[2]!.answer(ok(10));
    await clock.advance(1_000);
    expect(told().at(-1)).toEqual([2, 1, 10]);
  });

  it('C5: sends nothing while it is shut', async () => {
    sender.shut();
    await write();
    await clock.advance(60_000);
    expect(sent).toEqual([]);
    sender.open();
    expect(sent.length).toBe(1);
  });

  it('waits as long as it is asked to', async () => {
    await write();
    sent[0]!.answer(refuse.rateLimited(500));
    await clock.advance(499);
    expect(sent.length).toBe(1);
    await clock.advance(1);
    expect(told()).toEqual([
      [1, 0, 7],
      [1, 0, 7],
    ]);
  });

  it('asks to open anew when gaps go on without a reason', async () => {
    await write();
    for (let round = 0; round < 3; round++) {
      sent.at(-1)!.answer(refuse.gap(9));
      await clock.settle();
    }
    expect(interrupted).toEqual(['gap']);
    expect(sent.length).toBe(3);
  });

  it('C15: asks to open anew when the owner only ever asks for time: it may not be the owner any more', async () => {
    await write();
    for (let i = 0; i < 3; i++) {
      sent[i]!.answer(refuse.unavailable('no database', 100));
      await clock.advance(100);
    }
    expect(interrupted).toEqual(['unavailable']);
    expect(sent.length).toBe(3);
    sender.sendAgain();
    sender.open();
    expect(sent[3]!.push.opNo).toBe(1);
  });

  it('held, sends again what it had sent, and nothing new', async () => {
    await write();
    sender.hold();
    await write();
    sender.sendAgain();
    sender.open();
    expect(told().map(([opNo]) => opNo)).toEqual([1, 1]);
    sender.release();
    sender.open();
    expect(told().map(([opNo]) => opNo)).toEqual([1, 1, 2]);
  });

  it('hands what is about the document or the session to those who know', async () => {
    await write();
    await write();
    sent[0]!.answer(refuse.notOpen());
    sent[1]!.answer(refuse.expired());
    expect(interrupted).toEqual(['not_open', 'expired']);
    expect(pending.due.length).toBe(2);
  });
});
