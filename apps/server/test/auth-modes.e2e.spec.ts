import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, expect, it, vi } from 'vitest';
import { RawClient, ServerProcess } from '@homeport/testkit';

// Real processes, on whatever machine this is: how long they take decides nothing.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const SECRET = 'a secret of at least 32 characters';
const ADMIN_TOKEN = 'an-admin-token-of-ours';

let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.dispose();
  server = undefined;
});

const ops = [{ op: 'put', key: 'a', value: 1 }];

async function accessOf(client: RawClient, document: string): Promise<unknown> {
  const reply = await client.ask('open', { document });
  return reply.ok ? reply['access'] : reply['code'];
}

it('open: everybody on this machine writes, and the start says so loudly', async () => {
  server = await ServerProcess.start();
  expect(server.logs).toMatch(/OPEN, for development/);
  const client = await RawClient.connect(server.url);
  expect(client.hello).toMatchObject({ user: 'dev', protocol: 1, limits: expect.any(Object) });
  expect(await accessOf(client, 'anything')).toBe('write');
  expect(await client.ask('push', { document: 'anything', opNo: 1, after: 0, ops })).toMatchObject({ ok: true });
  client.close();
});

it('a secret: bearers of a token of `npm run token`, and guests with what they were granted', async () => {
  server = await ServerProcess.start({
    env: { AUTH_SECRET: SECRET, GUEST_GRANTS: '{"board-*":"write","news":"read"}', ADMIN_TOKEN },
  });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['scripts/token.mjs', '--user', 'ada', '--grant', '*=write', '--hours', '8'],
    { env: { ...process.env, AUTH_SECRET: SECRET } },
  );
  const ada = await RawClient.connect(server.url, { token: stdout.trim() });
  expect([ada.hello.user, await accessOf(ada, 'news')]).toEqual(['ada', 'write']);

  const response = await fetch(`${server.url}/v1/guest`, { method: 'POST' });
  const { token, user } = (await response.json()) as { token: string; user: string };
  const guest = await RawClient.connect(server.url, { token });
  expect(guest.hello.user).toBe(user);
  expect([await accessOf(guest, 'board-1'), await accessOf(guest, 'news'), await accessOf(guest, 'secret')]).toEqual([
    'write',
    'read',
    'forbidden',
  ]);
  expect(await guest.ask('push', { document: 'news', opNo: 1, after: 0, ops })).toMatchObject({ code: 'forbidden' });
  expect(await guest.ask('push', { document: 'board-1', opNo: 1, after: 0, ops })).toMatchObject({ ok: true });
  expect(server.logs).not.toContain(token);
  ada.close();
  guest.close();

  const metrics = (bearer: string) =>
    fetch(`${server!.url}/metrics`, { headers: { authorization: `Bearer ${bearer}` } }).then(({ status }) => status);
  expect([await metrics('a-guess-of-what-it-is'), await metrics(ADMIN_TOKEN)]).toEqual([401, 200]);
});

it('L4: a key server: bearers of tokens that it vouches for, and that are meant for this server', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' };
  const keyServer = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
  await new Promise<void>((listening) => keyServer.listen(0, '127.0.0.1', listening));
  const { port } = keyServer.address() as AddressInfo;
  try {
    server = await ServerProcess.start({
      env: { AUTH_JWKS_URL: `http://127.0.0.1:${port}/jwks.json`, AUTH_ISSUER: 'id', AUTH_AUDIENCE: 'homeport' },
    });
    const tokenFor = (audience: string) =>
      new SignJWT({ sub: 'ada', grants: { documents: { 'board-*': 'read' } } })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer('id')
        .setAudience(audience)
        .setExpirationTime('1h')
        .sign(privateKey);
    const ada = await RawClient.connect(server.url, { token: await tokenFor('homeport') });
    expect([ada.hello.user, await accessOf(ada, 'board-1')]).toEqual(['ada', 'read']);
    ada.close();
    for (const refused of [{}, { token: await tokenFor('mail') }])
      await expect(RawClient.connect(server.url, refused)).rejects.toMatchObject({ code: 'unauthenticated' });
  } finally {
    await new Promise((closed) => keyServer.close(closed));
  }
});
