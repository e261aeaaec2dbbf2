import { MemoryLink, MemoryRevocationTable, put, TestHome, watch } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { Identity } from './access.js';
import type { Session } from './session.js';

const ALL = { '*': 'write' } as const;

describe('Revocations', () => {
  it('L7: rights that another node took away are away within a second, and the session is told and leaves', async () => {
    const { home, ask, elsewhere } = await start();
    const { session, channel } = home.connect('s1');
    for (const document of ['board-1', 'note']) await ask(session, 'open', { document });
    await home.world.outcome('the revocation', elsewhere.revoke('ada', 'board-*'));
    const committedMs = home.world.monotonicMs();
    await home.world.until('the word', () => channel.of('access').length > 0, 2_000);
    expect(home.world.monotonicMs() - committedMs).toBeLessThan(1_000);
    expect(channel.of('access')).toEqual([{ document: 'board-1', access: 'none' }]);
    expect([home.fanOut.isJoined('board-1', channel), home.fanOut.isJoined('note', channel)]).toEqual([false, true]);
    for (const [event, rest] of REQUESTS)
      expect([event, await ask(session, event, { document: 'board-1', ...rest })]).toMatchObject([
        event,
        { code: 'forbidden' },
      ]);
    expect(await ask(session, 'push', push('note'))).toMatchObject({ ok: true });
  });

  it('L7: at the node that is asked they are away at once, and other users keep theirs', async () => {
    const { home, ask } = await start();
    const { session, channel } = home.connect('s1');
    const other = new Identity('eve', ALL, null);
    await ask(session, 'open', { document: 'board-1' });
    await home.world.outcome('the revocation', home.node.revoke('ada', '*'));
    expect(channel.of('access')).toEqual([{ document: 'board-1', access: 'none' }]);
    expect(home.node.accessTo(other, 'board-1')).toBe('write');
    // What was revoked before is not told again.
    await home.world.outcome('the revocation', home.node.revoke('ada', '*'));
    expect(channel.of('access')).toHaveLength(1);
  });

  it('L7: a token that was issued later counts, one from before does not, nor one that does not say when', async () => {
    const { home, ask } = await start();
    const { session } = home.connect('s1', ALL, null, home.world.wallMs());
    await home.world.advance(10);
    const { atMs } = await home.world.outcome('the revocation', home.node.revoke('ada', 'board-*'));
    const open = (of: Session) => ask(of, 'open', { document: 'board-1' });
    expect(await open(session)).toMatchObject({ code: 'forbidden' });
    expect(await open(home.connect('s2', ALL, null, atMs - 1).session)).toMatchObject({ code: 'forbidden' });
    expect(await open(home.connect('s3', ALL, null).session)).toMatchObject({ code: 'forbidden' });
    expect(session.renew(new Identity('ada', ALL, null, atMs))).toBeUndefined();
    expect(await open(session)).toMatchObject({ ok: true, access: 'write' });
    expect(await ask(session, 'push', push('board-1'))).toMatchObject({ ok: true });
  });

  it('L7: a node that starts knows what was revoked before', async () => {
    const { home, ask } = await start();
    await home.world.outcome('the revocation', home.node.revoke('ada', '*'));
    home.crash();
    const next = await TestHome.start({
      world: home.world,
      database: home.database,
      info: { ...home.info, id: 'b.2' },
    });
    expect(await ask(next.connect('s1').session, 'open', { document: 'board-1' })).toMatchObject({ code: 'forbidden' });
  });

  it('L7: where they can not be read, that is said once, and they are read as soon as they can', async () => {
    const { home, ask, elsewhere } = await start();
    const { session, channel } = home.connect('s1');
    await ask(session, 'open', { document: 'board-1' });
    for (let n = 0; n < 5; n++) home.faults.failNext('revocations', 'error');
    await home.world.outcome('the revocation', elsewhere.revoke('ada', '*'));
    await home.world.until('the word', () => channel.of('access').length > 0, 5_000);
    expect(home.probe.alarms.filter((line) => line.includes('revocations'))).toHaveLength(1);
  });
});

const REQUESTS = [
  ['open', {}],
  ['read', {}],
  ['entries', { from: 1 }],
  ['push', { opNo: 1, after: 0, ops: [put('a', 1)] }],
] as const;

function push(document: string) {
  return { document, opNo: 1, after: 0, ops: [put('a', 1)] };
}

async function start() {
  const home = await TestHome.start();
  const ask = async (session: Session, event: string, payload: unknown) => {
    const reply = watch(session.receive(event, payload) as Promise<{ readonly ok: boolean }>);
    await home.world.until(`the answer to ${event}`, () => reply.answer !== undefined);
    return reply.answer!;
  };
  return { home, ask, elsewhere: new MemoryRevocationTable(new MemoryLink(home.database)) };
}
