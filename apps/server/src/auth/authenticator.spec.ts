import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authenticator, issueToken } from './authenticator.js';

const SECRET = 'a secret of at least 32 characters';
const HOUR_MS = 3_600_000;
const GRANTS = { documents: { 'board-*': 'write', news: 'read' } };

const withSecret = new Authenticator({
  kind: 'keys',
  secret: SECRET,
  keyServer: undefined,
  guestGrants: { 'board-*': 'write' },
});

function sign(claims: Record<string, unknown>, secret = SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
}

async function refusalOf(token: string | undefined, authenticator = withSecret) {
  const answer = await authenticator.authenticate(token);
  if (answer.ok) throw new Error('the token was taken');
  return answer;
}

describe('Authenticator without keys', () => {
  const open = new Authenticator({ kind: 'open' });

  it('lets everybody write everywhere', async () => {
    const answer = await open.authenticate(undefined);
    expect(answer.ok && answer.identity.accessTo('anything')).toBe('write');
  });

  it('has no guests', async () => {
    expect(await open.admitGuest()).toMatchObject({ ok: false, code: 'forbidden' });
  });
});

describe('Authenticator with a secret', () => {
  it('takes user, rights and end from the token', async () => {
    const { token, expiresAt } = await issueToken(SECRET, 'ada', { 'board-*': 'write', news: 'read' }, HOUR_MS);
    const answer = await withSecret.authenticate(token);
    if (!answer.ok) throw new Error(answer.message);
    const { identity } = answer;
    expect(identity.user).toBe('ada');
    expect(identity.expiresAtMs).toBe(expiresAt);
    expect(['board-1', 'news', 'other'].map((document) => identity.accessTo(document))).toEqual([
      'write',
      'read',
      'none',
    ]);
  });

  it('L7: knows when the token was issued, never later than now, and takes one that does not say for old', async () => {
    const issuedAt = async (claims: object): Promise<number> => {
      const answer = await withSecret.authenticate(await sign({ sub: 'ada', grants: GRANTS, ...claims }));
      if (!answer.ok) throw new Error(answer.message);
      return answer.identity.issuedAtMs;
    };
    expect(await issuedAt({ iat: 1_700_000_000 })).toBe(1_700_000_000_000);
    expect(await issuedAt({})).toBe(-Infinity);
    const beforeMs = Date.now();
    const ofFuture = await issuedAt({ iat: Math.ceil(beforeMs / 1_000) + 3_600 });
    expect(ofFuture).toBeGreaterThanOrEqual(beforeMs);
    expect(ofFuture).toBeLessThanOrEqual(Date.now());
  });

  it('L4: refuses no token, a foreign signature, an expired one, none at all and rubbish', async () => {
    const claims = { sub: 'ada', grants: GRANTS };
    const expired = await sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 60 });
    expect(await refusalOf(undefined)).toMatchObject({ code: 'unauthenticated' });
    expect(await refusalOf(await sign(claims, 'another secret of 32 characters!'))).toMatchObject({
      code: 'unauthenticated',
    });
    expect(await refusalOf(expired)).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringMatching(/expired/),
    });
    expect(await refusalOf(new UnsecuredJWT(claims).encode())).toMatchObject({ code: 'unauthenticated' });
    expect(await refusalOf('a.b.c')).toMatchObject({ code: 'unauthenticated' });
    expect(await refusalOf('x'.repeat(10_000))).toMatchObject({ code: 'unauthenticated' });
  });

  it.each([
    ['no user', { grants: GRANTS }],
    ['a user without a name', { sub: '', grants: GRANTS }],
    ['a user that is no text', { sub: 7, grants: GRANTS }],
    ['a user with U+0000, which Postgres refuses', { sub: 'a\u0000', grants: GRANTS }],
    ['a user whose name is too long', { sub: 'a'.repeat(257), grants: GRANTS }],
    ['no grants', { sub: 'ada' }],
    ['an unknown right', { sub: 'ada', grants: { documents: { '*': 'own' } } }],
    ['grants that are a list', { sub: 'ada', grants: { documents: ['*'] } }],
  ])('L4: refuses a token with %s', async (_, claims) => {
    expect(await refusalOf(await sign(claims))).toMatchObject({ code: 'unauthenticated' });
  });

  it('L4: refuses a user with half a character, which Postgres refuses', async () => {
    // As bytes that a foreign signer might make: jose would write U+FFFD for it.
    const claims = `{"sub":"a\\ud800","grants":${JSON.stringify(GRANTS)}}`;
    const token = await new CompactSign(new TextEncoder().encode(claims))
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(SECRET));
    expect(await refusalOf(token)).toMatchObject({ code: 'unauthenticated', message: expect.stringMatching(/`sub`/) });
  });

  it.each(['a', 'x'.repeat(256), 'Ada Lovelace 🎨', 'constructor'])('takes the user "%s"', async (sub) => {
    const answer = await withSecret.authenticate(await sign({ sub, grants: GRANTS }));
    expect(answer.ok && answer.identity.user).toBe(sub);
  });

  it('gives guests an hour, each as another user', async () => {
    const [first, second] = await Promise.all([withSecret.admitGuest(), withSecret.admitGuest()]);
    if (!first.ok || !second.ok) throw new Error('guests were refused');
    expect(first.user).not.toBe(second.user);
    expect(first.expiresAt - Date.now()).toBeGreaterThan(HOUR_MS - 60_000);
    const answer = await withSecret.authenticate(first.token);
    expect(answer.ok && [answer.identity.user, answer.identity.accessTo('board-9')]).toEqual([first.user, 'write']);
  });

  it('lets no guests in where they were granted nothing', async () => {
    const closed = new Authenticator({ kind: 'keys', secret: SECRET, keyServer: undefined, guestGrants: undefined });
    expect(await closed.admitGuest()).toMatchObject({ ok: false, code: 'forbidden' });
  });
});

describe('Authenticator with a key server', () => {
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  let server: Server;
  let authenticator: Authenticator;

  beforeAll(async () => {
    keys = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'first', alg: 'ES256' };
    server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    authenticator = at((server.address() as AddressInfo).port);
  });
  afterAll(() => new Promise((closed) => server.close(closed)));

  function at(port: number, issuer?: string, audience?: string): Authenticator {
    const keyServer = { url: new URL(`http://127.0.0.1:${port}/jwks.json`), issuer, audience };
    return new Authenticator({ kind: 'keys', secret: undefined, keyServer, guestGrants: undefined });
  }

  function signed(kid: string, claims: Record<string, unknown> = {}): Promise<string> {
    const payload = { sub: 'ada', grants: GRANTS, ...claims };
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(keys.privateKey);
  }

  it('takes a token of a key that is published', async () => {
    const answer = await authenticator.authenticate(await signed('first'));
    expect(answer.ok && answer.identity.user).toBe('ada');
  });

  it('refuses a key that is not published, and a shared secret', async () => {
    expect(await refusalOf(await signed('second'), authenticator)).toMatchObject({ code: 'unauthenticated' });
    expect(await refusalOf(await sign({ sub: 'ada', grants: GRANTS }), authenticator)).toMatchObject({
      code: 'unauthenticated',
    });
  });

  it('L4: takes only tokens of the issuer and for the audience that were asked for', async () => {
    const [issuer, audience] = ['https://id.example', 'homeport'];
    const strict = at((server.address() as AddressInfo).port, issuer, audience);
    for (const aud of [audience, ['mail', audience]]) {
      const answer = await strict.authenticate(await signed('first', { iss: issuer, aud }));
      expect(answer.ok && answer.identity.user).toBe('ada');
    }
    for (const [claims, claim] of [
      [{ aud: audience }, 'iss'],
      [{ iss: 'https://id.example.evil', aud: audience }, 'iss'],
      [{ iss: issuer }, 'aud'],
      [{ iss: issuer, aud: ['mail'] }, 'aud'],
    ] as const)
      expect(await refusalOf(await signed('first', claims), strict)).toMatchObject({
        code: 'unauthenticated',
        message: expect.stringContaining(`\`${claim}\``),
      });
  });

  it('asks to try again while the key server can not be reached', async () => {
    const gone = createServer();
    await new Promise<void>((listening) => gone.listen(0, '127.0.0.1', listening));
    const { port } = gone.address() as AddressInfo;
    await new Promise((closed) => gone.close(closed));
    expect(await refusalOf(await signed('first'), at(port))).toMatchObject({ code: 'unavailable' });
  });
});
