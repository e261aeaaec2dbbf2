/** Two servers, tokens, and somebody whose rights are taken away while their sockets are open. */
import type { ClusterView } from '@homeport/core';
import { ClusterProcesses, RawClient, until, type ClusterNode } from '@homeport/testkit';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

// Real processes, on whatever machine this is: how long they take decides nothing.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const AUTH_SECRET = 'a secret of at least 32 characters';
const ADMIN_TOKEN = 'an-admin-token-of-ours';
const LIMIT_MS = 60_000;
const BOARDS = Array.from({ length: 12 }, (_, n) => `board-${n}`);

let cluster: ClusterProcesses;
const clients: RawClient[] = [];
beforeAll(async () => {
  cluster = await ClusterProcesses.start({ nodes: 2, env: { LOG_LEVEL: 'warn', AUTH_SECRET, ADMIN_TOKEN } });
  const [{ url }] = cluster.nodes as [ClusterNode];
  await until(LIMIT_MS, 'both to have their share', async () => {
    const view = await fetch(`${url}/v1/cluster`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    const { nodes } = (await view.json()) as ClusterView;
    return nodes.length === 2 && nodes.every(({ slots }) => slots === 512);
  });
});
afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.stop();
});

it('L7: on every node, at the owner and relayed, sockets lose what was revoked, and a later token counts', async () => {
  const [one, other] = cluster.nodes as [ClusterNode, ClusterNode];
  const board = await ownedBy(one, 'ada');
  const [pinned, relayed] = [await openAt(one, 'ada', board), await openAt(other, 'ada', board, 'relay')];
  const eve = await openAt(one, 'eve', board);
  expect(await push(pinned, board, 1)).toMatchObject({ ok: true });

  expect((await revoke(other, { subject: 'ada', document: board }, 'a-guess-of-what-it-is')).status).toBe(401);
  expect((await revoke(other, { subject: '' })).status).toBe(400);
  expect((await revoke(other, { subject: 'ada', document: 7 })).status).toBe(400);
  const revoked = await revoke(other, { subject: 'ada', document: board });
  expect(revoked.status).toBe(200);
  const { at } = (await revoked.json()) as { at: number };

  for (const client of [pinned, relayed]) {
    expect(await client.seen('access')).toEqual({ document: board, access: 'none' });
    expect(await push(client, board, 2)).toMatchObject({ code: 'forbidden' });
    expect(await client.ask('read', { document: board })).toMatchObject({ code: 'forbidden' });
  }
  const heard = [pinned, relayed].map(({ received }) => received.length);
  expect(await push(eve, board, 1)).toMatchObject({ ok: true });
  const seq = await headSeenBy(eve, board);
  await eve.seen('entries', ({ to }: { to: number }) => to >= seq);
  for (const client of [pinned, relayed]) await client.ask('close', { document: board });
  expect([pinned, relayed].map(({ received }) => received.length)).toEqual(heard);

  const old = `Bearer ${await token('ada', 0)}`;
  for (const { url } of cluster.nodes)
    expect((await fetch(`${url}/v1/documents/${board}`, { headers: { authorization: old } })).status).toBe(403);
  expect(await pinned.ask('token', { token: await token('ada', at) })).toMatchObject({ ok: true });
  expect(await pinned.ask('open', { document: board })).toMatchObject({ ok: true, access: 'write' });
  expect(await push(pinned, board, 2, 1)).toMatchObject({ ok: true });
});

it('L7 E5: with Redis away, too', async () => {
  await cluster.redis!.kill();
  try {
    const opened = await Promise.all(
      cluster.nodes.map(async (node) => openAt(node, 'bob', await ownedBy(node, 'bob'))),
    );
    expect((await revoke(cluster.nodes[0]!, { subject: 'bob' })).status).toBe(200);
    for (const client of opened) expect(await client.seen('access')).toMatchObject({ access: 'none' });
  } finally {
    await cluster.redis!.restart();
  }
});

/** `sinceMs`: issued at that time, or in the second that follows. */
function token(user: string, sinceMs: number): Promise<string> {
  return new SignJWT({ grants: { documents: { 'board-*': 'write' } } })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt(Math.ceil(sinceMs / 1_000))
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(AUTH_SECRET));
}

async function connect(node: ClusterNode, user: string): Promise<RawClient> {
  const client = await RawClient.connect(node.url, { token: await token(user, 0) });
  clients.push(client);
  return client;
}

async function openAt(node: ClusterNode, user: string, document: string, pin = 'redirect'): Promise<RawClient> {
  const client = await connect(node, user);
  expect(await client.ask('open', { document, pin })).toMatchObject({ ok: true, relayed: pin === 'relay' });
  return client;
}

async function ownedBy(node: ClusterNode, user: string): Promise<string> {
  const client = await connect(node, user);
  for (const document of BOARDS) if ((await client.ask('open', { document })).ok) return document;
  throw new Error(`${node.name} owns none of the boards`);
}

function push(client: RawClient, document: string, opNo: number, after = opNo - 1) {
  return client.ask('push', { document, opNo, after, ops: [{ op: 'put', key: 'a', value: opNo }] });
}

async function headSeenBy(client: RawClient, document: string): Promise<number> {
  const { position } = (await client.ask('read', { document })) as unknown as { position: { seq: number } };
  return position.seq;
}

function revoke({ url }: ClusterNode, body: object, admin = ADMIN_TOKEN): Promise<Response> {
  return fetch(`${url}/v1/revocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
