import { TestHome, nodeNamed, put, watch, type TestHomeParts } from '@homeport/testkit';
import { LIMITS, type Op } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { Identity } from './access.js';
import type { Session } from './session.js';

const BOARD = 'board';
const OPS: readonly Op[] = [put('a', 1)];

describe('Session: documents', () => {
  it('D1: opened and joined in one tick: what is committed from then on comes as frames, without a hole', async () => {
    const { home, ask } = await start();
    const writer = home.connect('writer').session;
    await ask(writer, 'open', { document: BOARD });
    const { session, channel } = home.connect('reader');
    for (let opNo = 1; opNo <= 50; opNo++) {
      void writer.receive('push', { document: BOARD, opNo, after: opNo - 1, ops: OPS });
      await home.world.advance(1);
      if (opNo === 20)
        void session.receive('open', { document: BOARD })!.then((reply) => channel.send('head', reply as never));
    }
    await home.world.until('the last frame', () => channel.of('entries').at(-1)?.to === 50);
    const at = channel.of('head').find((reply) => 'position' in reply) as unknown as { position: { seq: number } };
    let next = at.position.seq + 1;
    for (const { from, to } of channel.of('entries')) {
      expect(from).toBe(next);
      next = to + 1;
    }
  });

  it('an open reply carries everything that a client needs', async () => {
    const { home, ask } = await start();
    const { session, channel } = home.connect('s1', { [BOARD]: 'read' });
    expect(channel.heard[0]).toMatchObject({ event: 'hello', payload: { session: 's1', user: 'ada', limits: LIMITS } });
    expect(await ask(session, 'open', { document: BOARD })).toEqual({
      ok: true,
      position: { timeline: 'timeline-1', seq: 0 },
      access: 'read',
      owner: { id: 'a.1', name: 'a', url: 'http://a' },
      epoch: 1,
      relayed: false,
      session: { accepted: 0, recent: [] },
      snapshot: { records: {} },
    });
    await home.world.advance(1);
    expect(channel.of('presence')).toEqual([{ document: BOARD, full: true, sessions: {} }]);
  });

  it('of opens that overtake each other the last one counts, and a close ends one that is under way', async () => {
    const { home, ask, receive } = await start();
    const { session, channel } = home.connect('s1');
    const first = receive(session, 'open', { document: BOARD });
    const second = receive(session, 'open', { document: BOARD });
    await home.world.until('both answers', () => first.answer !== undefined && second.answer !== undefined);
    expect(first.answer).toMatchObject({ code: 'unavailable' });
    expect(second.answer).toMatchObject({ ok: true });
    expect(home.fanOut.isJoined(BOARD, channel)).toBe(true);

    const third = receive(session, 'open', { document: 'other' });
    expect(await ask(session, 'close', { document: 'other' })).toEqual({ ok: true });
    await home.world.until('the answer', () => third.answer !== undefined);
    expect(third.answer).toMatchObject({ ok: false });
    expect(home.fanOut.isJoined('other', channel)).toBe(false);
    expect(await ask(session, 'close', { document: 'never-opened' })).toEqual({ ok: true });
  });

  it('every way of leaving gives the document back: it may leave memory', async () => {
    const { home, ask, receive } = await start({ settings: { idleMs: 1_000 } });
    const one = home.connect('s1').session;
    const two = home.connect('s2').session;
    const three = home.connect('s3').session;
    for (const session of [one, two, three]) await ask(session, 'open', { document: BOARD });
    await ask(one, 'open', { document: BOARD });
    await ask(one, 'close', { document: BOARD });
    two.closed();
    await home.world.advance(5_000);
    expect(home.node.stats().documents).toBe(1);
    void receive(three, 'open', { document: 'other' });
    home.node.disconnect(three);
    await home.world.until('the eviction', () => home.node.stats().documents === 0);
  });

  it('L6: a push or a page of a document that is not open is refused not_open', async () => {
    const { home, ask, receive } = await start();
    const { session } = home.connect('s1');
    const push = { document: BOARD, opNo: 1, after: 0, ops: OPS };
    expect(await ask(session, 'push', push)).toMatchObject({ code: 'not_open' });
    const opening = receive(session, 'open', { document: BOARD });
    expect(await ask(session, 'push', push)).toMatchObject({ code: 'not_open' });
    await home.world.until('the open', () => opening.answer !== undefined);
    expect(await ask(session, 'push', push)).toMatchObject({ ok: true });
    expect(await ask(session, 'open', { document: BOARD, next: 1 })).toMatchObject({ code: 'invalid', path: 'next' });
    await ask(session, 'close', { document: BOARD });
    expect(await ask(session, 'push', { ...push, opNo: 2, after: 1 })).toMatchObject({ code: 'not_open' });
    expect(await ask(session, 'open', { document: BOARD, next: 1 })).toMatchObject({ code: 'not_open' });
  });

  it('L2: a session opens a bounded number of documents', async () => {
    const { home, ask } = await start();
    const { session } = home.connect('s1');
    for (let n = 0; n < LIMITS.documentsPerSession; n++)
      expect(await ask(session, 'open', { document: `d${n}` })).toMatchObject({ ok: true });
    const refusal = { code: 'too_large', limit: 'documentsPerSession' };
    expect(await ask(session, 'open', { document: 'one-more' })).toMatchObject(refusal);
    expect(await ask(session, 'open', { document: 'd0' })).toMatchObject({ ok: true });
  });

  it('pages are asked for in order, each once', async () => {
    const { home, ask } = await start();
    const { session } = home.connect('s1');
    await ask(session, 'open', { document: BOARD });
    const wide = 'x'.repeat(LIMITS.pageBytes - 200);
    for (let opNo = 1; opNo <= 3; opNo++)
      await ask(session, 'push', { document: BOARD, opNo, after: opNo - 1, ops: [put(`k${opNo}`, wide)] });
    expect(await ask(session, 'open', { document: BOARD })).toMatchObject({ next: 1 });
    expect(await ask(session, 'open', { document: BOARD, next: 2 })).toMatchObject({ code: 'invalid', path: 'next' });
    expect(await ask(session, 'open', { document: BOARD, next: 1 })).toMatchObject({ ok: true, next: 2 });
    const last = await ask(session, 'open', { document: BOARD, next: 2 });
    expect(Object.keys((last as unknown as { snapshot: { records: object } }).snapshot.records)).toEqual(['k3']);
    expect(last).not.toHaveProperty('next');
    expect(await ask(session, 'open', { document: BOARD, next: 3 })).toMatchObject({ code: 'invalid' });
  });

  it('D1: it hears the next owner before a move; and where the document stays, each frame once again', async () => {
    const { home, ask } = await start();
    const { session, channel } = home.connect('s1');
    await ask(session, 'open', { document: BOARD });
    const heads = (deliver: 'deliver' | 'deliverRelayed'): number => {
      home.fanOut[deliver](BOARD, 'head', '{}');
      return channel.of('head').length;
    };
    await session.documents.listenAhead(() => true);
    expect([heads('deliverRelayed'), heads('deliver')]).toEqual([1, 2]);
    session.documents.stayed(() => false);
    expect([heads('deliverRelayed'), heads('deliver')]).toEqual([2, 3]);
  });

  it('D1: whoever hears the next owner only when the document stayed is taken back out at once', async () => {
    const { home, ask } = await start();
    const { session, channel } = home.connect('s1');
    await ask(session, 'open', { document: BOARD });
    let isMoving = true;
    const listening = session.documents.listenAhead(() => isMoving);
    isMoving = false;
    session.documents.stayed(() => isMoving);
    await listening;
    home.fanOut.deliverRelayed(BOARD, 'head', '{}');
    expect(channel.of('head')).toEqual([]);
    home.fanOut.deliver(BOARD, 'head', '{}');
    expect(channel.of('head')).toHaveLength(1);
  });
});

describe('Session: the door', () => {
  it('L1: what is malformed is refused, changes nothing, and the channel stays open', async () => {
    const { home, ask } = await start();
    const { session, channel } = home.connect('s1');
    await ask(session, 'open', { document: BOARD });
    for (const [event, payload] of [
      ['open', null],
      ['open', { document: '../etc' }],
      ['push', { document: BOARD, opNo: 0, after: 0, ops: OPS }],
      ['push', { document: BOARD, opNo: 1, after: 0, ops: [put('a', 1), { op: 'put', key: '__proto__', value: 1 }] }],
      ['read', { document: BOARD, keys: 'a' }],
      ['entries', { document: BOARD, from: 0 }],
      ['close', 7],
      ['drop tables', {}],
    ] as const)
      expect(await ask(session, event, payload), event).toMatchObject({ ok: false, code: 'invalid' });
    expect(session.receive('presence', { document: BOARD, state: 1 })).toBeUndefined();
    expect(channel.closed).toBeUndefined();
    expect(home.database.headOf(BOARD)).toBe(0);
    expect(await ask(session, 'push', { document: BOARD, opNo: 1, after: 0, ops: OPS })).toMatchObject({ ok: true });
  });

  it('L3: pushes and requests above their rate are told when to come again', async () => {
    const { home, ask, receive } = await start({ settings: { pushesPerSecond: 3, requestsPerSecond: 4 } });
    const { session } = home.connect('s1');
    await ask(session, 'open', { document: BOARD });
    const pushes = [1, 2, 3, 4].map((opNo) =>
      receive(session, 'push', { document: BOARD, opNo, after: opNo - 1, ops: OPS }),
    );
    await home.world.until('the answers', () => pushes.every(({ answer }) => answer !== undefined));
    expect(pushes[2]!.answer).toMatchObject({ ok: true });
    expect(pushes[3]!.answer).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) });
    const reads = Array.from({ length: 5 }, () => receive(session, 'read', { document: BOARD }));
    await home.world.until('the answers', () => reads.every(({ answer }) => answer !== undefined));
    expect(reads.at(-1)!.answer).toMatchObject({ code: 'rate_limited' });

    expect(await ask(session, 'close', { document: BOARD })).toEqual({ ok: true });
    expect(await ask(session, 'push', { document: BOARD, opNo: 5, after: 3, ops: OPS })).toMatchObject({
      code: 'not_open',
    });
  });

  it('L3: a client has a bounded number of unanswered pushes in a document', async () => {
    const { home, ask, receive } = await start();
    const { session } = home.connect('s1');
    await ask(session, 'open', { document: BOARD });
    const pushes = Array.from({ length: LIMITS.pendingPushes + 1 }, (_, n) =>
      receive(session, 'push', { document: BOARD, opNo: n + 1, after: n, ops: OPS }),
    );
    await home.world.until('the answers', () => pushes.every(({ answer }) => answer !== undefined));
    expect(pushes.filter(({ answer }) => answer?.ok)).toHaveLength(LIMITS.pendingPushes);
    expect(pushes.at(-1)!.answer).toMatchObject({ code: 'rate_limited' });
  });
});

describe('Session: channels', () => {
  it('E3: a peer that does not read leaves its documents and is told to resume; the others go on', async () => {
    const { home, ask } = await start({ settings: { bufferBytesMax: 1_000 } });
    const slow = home.connect('slow');
    const quick = home.connect('quick');
    for (const { session } of [slow, quick]) await ask(session, 'open', { document: BOARD });
    slow.channel.backlogBytes = 1_001;
    await home.world.advance(200);
    expect(slow.channel.of('resume')).toEqual([{ document: BOARD }]);
    expect(home.fanOut.isJoined(BOARD, slow.channel)).toBe(false);
    await ask(quick.session, 'push', { document: BOARD, opNo: 1, after: 0, ops: OPS });
    expect(slow.channel.of('entries')).toEqual([]);
    expect(quick.channel.of('entries')).toHaveLength(1);
    slow.channel.backlogBytes = 0;
    const since = { timeline: 'timeline-1', seq: 0 };
    expect(await ask(slow.session, 'open', { document: BOARD, since })).toMatchObject({ tail: [{ seq: 1 }] });
  });

  it('a newer channel of a session closes the older one, whose late end changes nothing', async () => {
    const { home, ask } = await start();
    const old = home.connect('s1');
    await ask(old.session, 'open', { document: BOARD });
    void old.session.receive('presence', { document: BOARD, state: { x: 'old' } });
    const fresh = home.connect('s1');
    expect(old.channel.closed).toBe('replaced');
    await ask(fresh.session, 'open', { document: BOARD });
    void fresh.session.receive('presence', { document: BOARD, state: { x: 'new' } });
    home.node.disconnect(old.session);
    await home.world.advance(100);
    expect(home.node.stats().sessions).toBe(1);
    const { session: third, channel } = home.connect('s3');
    await ask(third, 'open', { document: BOARD });
    await home.world.advance(1);
    expect(channel.of('presence')[0]).toMatchObject({ full: true, sessions: { s1: { state: { x: 'new' } } } });
    expect(await ask(old.session, 'push', { document: BOARD, opNo: 1, after: 0, ops: OPS })).toMatchObject({
      code: 'not_open',
    });
    expect(await ask(old.session, 'open', { document: BOARD })).toMatchObject({ ok: false });
    expect(home.fanOut.isJoined(BOARD, old.channel)).toBe(false);
  });

  it('the same session id of two users is two sessions', async () => {
    const { home } = await start();
    const mine = home.connect('s1');
    const channel = home.connect('other').channel;
    home.node.connect(channel, new Identity('eve', { '*': 'write' }, null), 's1');
    expect(mine.channel.closed).toBeUndefined();
    expect(home.node.stats().sessions).toBe(3);
  });

  it('presence is shown while the document is open, and cleared by leaving it', async () => {
    const { home, ask } = await start();
    const { session } = home.connect('s1');
    const other = home.connect('s2');
    void session.receive('presence', { document: BOARD, state: { x: 0 } });
    for (const one of [session, other.session]) await ask(one, 'open', { document: BOARD });
    await home.world.advance(1);
    expect(other.channel.of('presence').at(-1)).toMatchObject({ sessions: {} });
    void session.receive('presence', { document: BOARD, state: { x: 1 } });
    await home.world.advance(50);
    expect(other.channel.of('presence').at(-1)).toMatchObject({ sessions: { s1: { user: 'ada', state: { x: 1 } } } });
    await ask(session, 'close', { document: BOARD });
    await home.world.advance(50);
    expect(other.channel.of('presence').at(-1)).toMatchObject({ sessions: { s1: null } });
  });

  it('E6: an ack of a channel that is gone is in the log all the same, and the next channel learns it', async () => {
    const { home, ask, receive } = await start();
    const { session } = home.connect('s1');
    await ask(session, 'open', { document: BOARD });
    void receive(session, 'push', { document: BOARD, opNo: 1, after: 0, ops: OPS });
    home.node.disconnect(session);
    await home.world.advance(100);
    const again = home.connect('s1').session;
    expect(await ask(again, 'open', { document: BOARD })).toMatchObject({ session: { accepted: 1, recent: [[1, 1]] } });
  });
});

async function start(parts: Partial<TestHomeParts> = {}) {
  const home = await TestHome.start({ info: nodeNamed('a'), ...parts });
  const receive = (session: Session, event: string, payload: unknown) =>
    watch(session.receive(event, payload) as Promise<{ readonly ok: boolean }>);
  const ask = async (session: Session, event: string, payload: unknown) => {
    const reply = receive(session, event, payload);
    await home.world.until(`the answer to ${event}`, () => reply.answer !== undefined);
    return reply.answer!;
  };
  return { home, ask, receive };
}
