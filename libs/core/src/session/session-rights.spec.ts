import { TestHome, put, watch } from '@homeport/testkit';
import type { Op } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { Identity } from './access.js';
import type { Session } from './session.js';

const BOARD = 'board';
const OPS: readonly Op[] = [put('a', 1)];

describe('Session: rights', () => {
  it('L5: forbidden is the same for what exists and what does not; read only may read and not write', async () => {
    const { home, ask } = await start();
    const writer = home.connect('w').session;
    await ask(writer, 'open', { document: 'hidden' });
    await ask(writer, 'push', { document: 'hidden', opNo: 1, after: 0, ops: OPS });
    const { session } = home.connect('s1', { [BOARD]: 'read' });
    const hidden = await ask(session, 'open', { document: 'hidden' });
    expect(hidden).toMatchObject({ code: 'forbidden' });
    expect(await ask(session, 'open', { document: 'absent' })).toEqual(hidden);
    expect(await ask(session, 'read', { document: 'hidden' })).toEqual(hidden);
    expect(await ask(session, 'entries', { document: 'hidden', from: 1 })).toEqual(hidden);
    expect(await ask(session, 'open', { document: BOARD })).toMatchObject({ ok: true, access: 'read' });
    expect(await ask(session, 'read', { document: BOARD })).toMatchObject({ ok: true });
    const push = { document: BOARD, opNo: 1, after: 0, ops: OPS };
    expect(await ask(session, 'push', push)).toMatchObject({ code: 'forbidden' });
  });

  it('L5: a fresh token that takes a right away takes it at once, and says so', async () => {
    const { home, ask } = await start();
    const { session, channel } = home.connect('s1', { 'a*': 'write', 'b*': 'write', 'c*': 'write' });
    for (const document of ['a1', 'b1', 'c1']) await ask(session, 'open', { document });
    expect(session.renew(new Identity('ada', { 'a*': 'write', 'b*': 'read' }, null))).toBeUndefined();
    expect(channel.of('access')).toEqual([
      { document: 'b1', access: 'read' },
      { document: 'c1', access: 'none' },
    ]);
    const push = (document: string) => ask(session, 'push', { document, opNo: 1, after: 0, ops: OPS });
    expect(await push('a1')).toMatchObject({ ok: true });
    expect(await push('b1')).toMatchObject({ code: 'forbidden' });
    expect(await push('c1')).toMatchObject({ code: 'forbidden' });
    expect(home.fanOut.isJoined('b1', channel)).toBe(true);
    expect(home.fanOut.isJoined('c1', channel)).toBe(false);
    expect(session.renew(new Identity('eve', { '*': 'write' }, null))).toMatchObject({ code: 'forbidden' });
  });

  it('L4: a token that runs out ends the channel, and until then nothing passes on it', async () => {
    const { home, ask } = await start();
    const { session, channel } = home.connect('s1', { '*': 'write' }, home.world.wallMs() + 1_050);
    await ask(session, 'open', { document: BOARD });
    await home.world.until('the end', () => channel.closed !== undefined, 2_000);
    expect(channel.closed).toBe('unauthenticated');
    expect(channel.of('access')).toEqual([{ document: BOARD, access: 'none' }]);
    const late = home.connect('s2', { '*': 'write' }, home.world.wallMs()).session;
    const refusal = { code: 'unauthenticated' };
    expect(await ask(late, 'open', { document: BOARD })).toMatchObject(refusal);
    expect(await ask(late, 'push', { document: BOARD, opNo: 1, after: 0, ops: OPS })).toMatchObject(refusal);
  });
});

async function start() {
  const home = await TestHome.start();
  const ask = async (session: Session, event: string, payload: unknown) => {
    const reply = watch(session.receive(event, payload) as Promise<{ readonly ok: boolean }>);
    await home.world.until(`the answer to ${event}`, () => reply.answer !== undefined);
    return reply.answer!;
  };
  return { home, ask };
}
