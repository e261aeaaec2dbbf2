import {
  PROTOCOL_VERSION,
  type EntriesFrame,
  type Entry,
  type OpenReply,
  type PushReply,
  type ReadReply,
} from '@homeport/protocol';
import { TestRedis, until } from '@homeport/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../libs/testkit/src/test-postgres.js';
import { range } from '../../measuring/range.js';
import { WireSocket } from '../../measuring/wire-socket.js';
import { BaselineProcess } from '../baseline-process.js';

type Opened = Extract<OpenReply, { ok: true }>;
type Pushed = Extract<PushReply, { ok: true }>;
type Read = Extract<ReadReply, { ok: true }>;

describe('the stateless server that Homeport is compared with', () => {
  let postgres: TestPostgres;
  let redis: TestRedis;
  const servers: BaselineProcess[] = [];

  beforeAll(async () => {
    postgres = await startTestPostgres();
    redis = await TestRedis.start();
    const env = { DATABASE_URL: await postgres.createDatabase({ bare: true }), REDIS_URL: redis.url, POOL: '4' };
    servers.push(await BaselineProcess.start('stateless', env));
    servers.push(await BaselineProcess.start('stateless', env));
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    await redis.dispose();
    await postgres.stop();
  });

  async function join(server: number, document: string, session: string) {
    const wire = await WireSocket.connect(servers[server]!.url, { protocol: PROTOCOL_VERSION, session });
    const heard: Entry[] = [];
    wire.on('entries', (text) => heard.push(...(JSON.parse(text) as EntriesFrame).entries));
    const opened = await wire.ask<Opened>('open', { document });
    expect(opened.ok).toBe(true);
    let opNo = 0;
    const push = (...ops: object[]): Promise<Pushed> =>
      wire.ask<Pushed>('push', { document, opNo: ++opNo, after: opNo - 1, ops });
    return { wire, heard, opened, push };
  }

  it('gives the pushes of two processes one order, and each sees what the others wrote', async () => {
    const [alice, bob] = [await join(0, 'shared', 'alice'), await join(1, 'shared', 'bob')];
    const pushed = await Promise.all(
      range(20).map((i) => (i % 2 ? alice : bob).push({ op: 'put', key: `shape:${i}`, value: { i } })),
    );
    expect(pushed.map(({ position }) => position.seq).sort((a, b) => a - b)).toEqual(range(20).map((i) => i + 1));
    await until(5_000, 'all frames', () => alice.heard.length === 10 && bob.heard.length === 10);
    expect(new Set(alice.heard.map(({ session }) => session))).toEqual(new Set(['bob']));
    const own = pushed.filter((_, i) => i % 2 === 0).map(({ position }) => position.seq);
    expect(new Set(alice.heard.map(({ seq }) => seq))).toEqual(new Set(own));
    expect(alice.heard[0]!.ops).toMatchObject([{ op: 'put' }]);
    for (const { wire } of [alice, bob]) wire.close();
  });

  it('reads from any process what another has acknowledged: one record, all of them, a patch in its place', async () => {
    const [alice, bob] = [await join(0, 'read', 'alice'), await join(1, 'read', 'bob')];
    await alice.push({ op: 'put', key: 'a', value: { x: 1, y: 1 } });
    await alice.push({ op: 'put', key: 'b', value: [1, 2] });
    await alice.push({ op: 'patch', key: 'a', set: { x: 2 }, unset: [] });
    const one = await bob.wire.ask<Read>('read', { document: 'read', keys: ['a', 'absent'] });
    expect(one.records).toEqual({ a: { value: { x: 2, y: 1 }, seq: 3 } });
    const all = await bob.wire.ask<Read>('read', { document: 'read' });
    expect(all.records).toEqual({ a: { value: { x: 2, y: 1 }, seq: 3 }, b: { value: [1, 2], seq: 2 } });
    for (const { wire } of [alice, bob]) wire.close();
  });

  it('shows who comes back what was missed, in order, and who comes first the state', async () => {
    const alice = await join(0, 'missed', 'alice');
    for (const i of range(5)) await alice.push({ op: 'put', key: 'a', value: { i } });
    const again = await join(1, 'missed', 'bob');
    expect(again.opened.position.seq).toBe(5);
    expect(again.opened.snapshot?.records).toEqual({ a: { value: { i: 4 }, seq: 5 } });
    const since = { timeline: again.opened.position.timeline, seq: 2 };
    const { position, tail } = await again.wire.ask<Opened>('open', { document: 'missed', since });
    expect(position.seq).toBe(5);
    expect(tail?.map(({ seq, session, opNo }) => [seq, session, opNo])).toEqual([3, 4, 5].map((n) => [n, 'alice', n]));
    expect(tail?.[0]?.ops).toEqual([{ op: 'put', key: 'a', value: { i: 2 } }]);
    for (const { wire } of [alice, again]) wire.close();
  });

  it('refuses in words what it does not know', async () => {
    const alice = await join(0, 'refused', 'alice');
    const put = { op: 'put', key: 'a', value: 1 };
    expect(await alice.push(put, put)).toMatchObject({ ok: false, message: 'a push here is one op' });
    expect(await alice.push({ op: 'delete', key: 'a' })).toMatchObject({ ok: false });
    alice.wire.close();
  });
});
