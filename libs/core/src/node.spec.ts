/** The whole walk of a write through a node, and its beginning and end. */
import { TestHome, add, nodeNamed, put, watch } from '@homeport/testkit';
import { PROTOCOL_VERSION, type PushReply } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';

const BOARD = 'board';

describe('HomeNode', () => {
  it('W8 R3: a push is stored, shown to everyone on the document, and only then acknowledged', async () => {
    const home = await TestHome.start();
    const ada = home.connect('ada-1');
    const bob = home.connect('bob-1');
    for (const { session } of [ada, bob])
      await home.world.outcome('the open', session.receive('open', { document: BOARD })!);
    const push = ada.session.receive('push', { document: BOARD, opNo: 1, after: 0, ops: [put('a', { n: 1 })] });
    const ack = watch(push as Promise<PushReply>);
    expect(bob.channel.of('entries')).toEqual([]);
    await home.world.until('the ack', () => ack.answer !== undefined);
    expect(ack.answer).toEqual({ ok: true, position: { timeline: 'timeline-1', seq: 1 } });
    expect(home.database.logOf(BOARD)).toMatchObject([{ seq: 1, session: 'ada-1', opNo: 1, user: 'ada', epoch: 1 }]);
    for (const { channel } of [ada, bob])
      expect(channel.of('entries')).toMatchObject([
        { document: BOARD, from: 1, to: 1, entries: [{ session: 'ada-1', opNo: 1 }] },
      ]);
    expect(bob.channel.of('entries')[0]!.entries[0]).not.toHaveProperty('after');
    const read = await home.world.outcome('the read', bob.session.receive('read', { document: BOARD, minSeq: 1 })!);
    expect(read).toMatchObject({ ok: true, records: { a: { value: { n: 1 }, seq: 1 } } });
    expect(home.probe.outcomes).toEqual(['ok']);
  });

  it('says hello first, and makes a session id for who has none', async () => {
    const home = await TestHome.start();
    const { channel } = home.connect('s1');
    expect(channel.heard).toMatchObject([
      { event: 'hello', payload: { session: 's1', protocol: PROTOCOL_VERSION, node: home.node.me } },
    ]);
  });

  it('W1 X7: a crash with pushes in flight loses nothing acknowledged, and what is sent again has one effect', async () => {
    for (let crashAfterMs = 0; crashAfterMs < 30; crashAfterMs++) {
      const home = await TestHome.start();
      const { session } = home.connect('s1');
      await home.world.outcome('the open', session.receive('open', { document: BOARD })!);
      const pushes = Array.from({ length: 20 }, (_, n) => ({
        document: BOARD,
        opNo: n + 1,
        after: n,
        ops: n === 0 ? [put('a', { n: 1 })] : [add('a', 1)],
      }));
      const acks: ReturnType<typeof watch<PushReply>>[] = [];
      for (const push of pushes) {
        acks.push(watch(session.receive('push', push) as Promise<PushReply>));
        await home.world.advance(crashAfterMs / 20);
      }
      home.crash();
      const next = await TestHome.start({ world: home.world, database: home.database, info: nodeNamed('a', 2) });
      const again = next.connect('s1').session;
      const opened = await home.world.outcome('the open', again.receive('open', { document: BOARD })!);
      const { accepted } = (opened as { session: { accepted: number } }).session;
      expect(accepted).toBeGreaterThanOrEqual(acks.filter(({ answer }) => answer?.ok).length);
      const replies = pushes.map((push) => watch(again.receive('push', push) as Promise<PushReply>));
      await home.world.until('all acks', () => replies.every(({ answer }) => answer !== undefined));
      expect(replies.map(({ answer }) => answer?.ok && answer.position.seq)).toEqual(pushes.map(({ opNo }) => opNo));
      const read = await home.world.outcome('the read', again.receive('read', { document: BOARD })!);
      expect(read).toMatchObject({ records: { a: { value: { n: 20 } } } });
    }
  });

  it('drains: what was taken is committed, answered and checkpointed, then everyone is sent away', async () => {
    const home = await TestHome.start();
    const { session, channel } = home.connect('s1');
    await home.world.outcome('the open', session.receive('open', { document: BOARD })!);
    const taken = [1, 2, 3].map((opNo) =>
      watch(
        session.receive('push', {
          document: BOARD,
          opNo,
          after: opNo - 1,
          ops: [put('a', opNo)],
        }) as Promise<PushReply>,
      ),
    );
    const drained = home.node.drain();
    const late = watch(
      session.receive('push', { document: BOARD, opNo: 4, after: 3, ops: [put('a', 4)] }) as Promise<PushReply>,
    );
    await home.world.outcome('the drain', drained);
    expect(taken.map(({ answer }) => answer?.ok)).toEqual([true, true, true]);
    expect(late.answer).toMatchObject({ code: 'unavailable' });
    expect(home.database.checkpointOf(BOARD)).toBe(3);
    expect(channel.closed).toBe('unavailable');
    expect(home.node.state).toBe('left');
    expect(home.database.nodes.get('a.1')!.state).toBe('left');
    await home.world.advance(100);
    expect(home.world.pendingTimers).toBe(0);
  });

  it('a drain without a database ends all the same, and what it could not store it never acknowledged', async () => {
    const home = await TestHome.start();
    const { session } = home.connect('s1');
    await home.world.outcome('the open', session.receive('open', { document: BOARD })!);
    home.database.stop();
    const push = watch(
      session.receive('push', { document: BOARD, opNo: 1, after: 0, ops: [put('a', 1)] }) as Promise<PushReply>,
    );
    await home.world.outcome('the drain', home.node.drain());
    expect(home.node.state).toBe('left');
    expect(push.answer?.ok).not.toBe(true);
    expect(home.node.stats().sessions).toBe(0);
  });

  it('O4: a node that is lost sends everyone away and never serves again', async () => {
    const home = await TestHome.start();
    const { session, channel } = home.connect('s1');
    await home.world.outcome('the open', session.receive('open', { document: BOARD })!);
    const other = await TestHome.start({ world: home.world, database: home.database, info: nodeNamed('b') }, 'forced');
    expect(await home.world.outcome('the reason', home.node.lost)).toBe('this node was declared dead');
    expect([home.node.state, other.node.state]).toEqual(['lost', 'serving']);
    expect(channel.closed).toBe('moved');
    const late = home.connect('s2').session;
    const refused = await home.world.outcome('the late open', late.receive('open', { document: BOARD })!);
    expect(refused).toMatchObject({ code: 'unavailable' });
    const elsewhere = other.connect('s1').session;
    const opened = await home.world.outcome('the open there', elsewhere.receive('open', { document: BOARD })!);
    expect(opened).toMatchObject({ ok: true, owner: { id: 'b.1' }, epoch: 2 });
  });

  it('a start that is refused rejects, and the node serves nothing', async () => {
    const home = await TestHome.start();
    const other = new TestHome({ world: home.world, database: home.database, info: nodeNamed('b') });
    await expect(home.world.outcome('the start', other.node.start('careful'))).rejects.toThrow('another Homeport node');
    expect(other.node.state).toBe('starting');
    const { session } = other.connect('s1');
    const refused = await home.world.outcome('an open', session.receive('open', { document: BOARD })!);
    expect(refused).toMatchObject({ code: 'unavailable' });
  });
});
