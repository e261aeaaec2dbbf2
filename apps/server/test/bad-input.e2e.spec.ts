import { Manager } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RawClient, ServerProcess, within } from '@homeport/testkit';
import { issueToken } from '../src/auth/authenticator.js';
import { BAD_OPS, put } from './bad-ops.js';

// Real processes, on whatever machine this is: how long they take decides nothing.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const SECRET = 'a secret of at least 32 characters';
const HOUR_MS = 3_600_000;

let server: ServerProcess;
let writeToken: string;
let readToken: string;

beforeAll(async () => {
  writeToken = (await issueToken(SECRET, 'ada', { 'board-*': 'write' }, HOUR_MS)).token;
  readToken = (await issueToken(SECRET, 'bob', { 'board-*': 'read' }, HOUR_MS)).token;
  server = await ServerProcess.start({ env: { AUTH_SECRET: SECRET } });
});
afterAll(async () => {
  await server.dispose();
});

describe('over the socket', () => {
  /** A socket that stays through all of it, and hears nothing of what is refused. */
  let witness: RawClient;
  let client: RawClient;

  beforeAll(async () => {
    witness = await RawClient.connect(server.url, { token: writeToken });
    client = await RawClient.connect(server.url, { token: writeToken });
    for (const one of [witness, client])
      expect(await one.ask('open', { document: 'board-bad' })).toMatchObject({ ok: true });
  });
  afterAll(() => {
    witness.close();
    client.close();
  });

  /** Nothing of it was applied, the socket still works, and nobody else noticed. */
  async function nothingHappened(): Promise<void> {
    expect(client.isConnected).toBe(true);
    expect(witness.isConnected).toBe(true);
    expect(await witness.ask('read', { document: 'board-bad' })).toMatchObject({
      ok: true,
      position: { seq: 0 },
      records: {},
    });
    expect(witness.received.filter(({ event }) => event === 'entries')).toEqual([]);
  }

  let opNo = 0;

  it.each(BAD_OPS)('refuses a push with %s', async (_, ops, code) => {
    expect(await client.ask('push', { document: 'board-bad', opNo: ++opNo, after: 0, ops })).toMatchObject({
      ok: false,
      code,
    });
    await nothingHappened();
  });

  it.each<[string, string, unknown[], string]>([
    ['a message that is no object', 'push', ['text'], 'invalid'],
    ['a message that is null', 'open', [null], 'invalid'],
    ['no message', 'push', [], 'invalid'],
    ['two messages in one', 'push', [{}, {}], 'invalid'],
    ['an unknown event', 'destroy', [{}], 'invalid'],
    ['an event named like a method', '__proto__', [{}], 'invalid'],
    ['an event of a server', 'hello', [{}], 'invalid'],
    ['binary', 'push', [Buffer.from('x')], 'invalid'],
    [
      'binary inside',
      'push',
      [{ document: 'board-bad', opNo: 99, after: 0, ops: [put('a', Buffer.from('x'))] }],
      'invalid',
    ],
    ['an empty document id', 'open', [{ document: '' }], 'invalid'],
    ['a document id that is too long', 'open', [{ document: 'b'.repeat(129) }], 'invalid'],
    ['a strange document id', 'open', [{ document: 'board/../1' }], 'invalid'],
    ['a document id that is no text', 'open', [{ document: { $ne: 1 } }], 'invalid'],
    ['a position that is none', 'open', [{ document: 'board-bad', since: { timeline: 'x', seq: -1 } }], 'invalid'],
    ['opNo 0', 'push', [{ document: 'board-bad', opNo: 0, after: 0, ops: [put('a', 1)] }], 'invalid'],
    [
      'an opNo that is no number',
      'push',
      [{ document: 'board-bad', opNo: '1', after: 0, ops: [put('a', 1)] }],
      'invalid',
    ],
    ['a skipped opNo', 'push', [{ document: 'board-bad', opNo: 99, after: 98, ops: [put('a', 1)] }], 'gap'],
    [
      'a document that is not open',
      'push',
      [{ document: 'board-closed', opNo: 1, after: 0, ops: [put('a', 1)] }],
      'not_open',
    ],
    ['a forbidden document', 'push', [{ document: 'secret', opNo: 1, after: 0, ops: [put('a', 1)] }], 'forbidden'],
    ['a forbidden document to open', 'open', [{ document: 'secret' }], 'forbidden'],
    ['a forbidden document to read', 'read', [{ document: 'secret' }], 'forbidden'],
    ['entries of a forbidden document', 'entries', [{ document: 'secret', from: 1 }], 'forbidden'],
    ['entries from nowhere', 'entries', [{ document: 'board-bad', from: 0 }], 'invalid'],
    ['a token that is none', 'token', [{ token: 'x' }], 'unauthenticated'],
  ])('refuses %s', async (_, event, payload, code) => {
    expect(await client.ask(event, ...payload)).toMatchObject({ ok: false, code });
    await nothingHappened();
  });

  it('drops what asks for no answer: a push without an acknowledgement, presence that is none', async () => {
    client.tell('push', { document: 'board-bad', opNo: 50, after: 0, ops: [put('a', 1)] });
    client.tell('presence', { document: 'board-bad', state: 'here' });
    client.tell('presence', Buffer.from('x'));
    client.tell('nonsense');
    await nothingHappened();
  });

  it('closes a socket that sends more than a message may hold, and no other', async () => {
    const loud = await RawClient.connect(server.url, { token: writeToken });
    loud.tell('push', { document: 'board-bad', text: 'x'.repeat(257 * 1024) });
    await loud.ended();
    await nothingHappened();
  });

  it('refuses a write of who may only read, and shows him what he may see', async () => {
    const reader = await RawClient.connect(server.url, { token: readToken });
    expect(await reader.ask('open', { document: 'board-bad' })).toMatchObject({ ok: true, access: 'read' });
    expect(await reader.ask('push', { document: 'board-bad', opNo: 1, after: 0, ops: [put('a', 1)] })).toMatchObject({
      code: 'forbidden',
    });
    await nothingHappened();
    reader.close();
  });

  it('refuses a token of another user on an open socket', async () => {
    expect(await client.ask('token', { token: readToken })).toMatchObject({ ok: false, code: 'forbidden' });
    expect(await client.ask('token', { token: writeToken })).toMatchObject({ ok: true, expiresAt: expect.any(Number) });
  });

  it('W5: answers a repeated push as before, and one of another content with session_conflict', async () => {
    const writer = await RawClient.connect(server.url, { token: writeToken });
    await writer.ask('open', { document: 'board-twice' });
    const push = { document: 'board-twice', opNo: 1, after: 0, ops: [put('a', 1)] };
    const first = await writer.ask('push', push);
    expect(first).toMatchObject({ ok: true, position: { seq: 1 } });
    expect(await writer.ask('push', push)).toEqual(first);
    expect(await writer.ask('push', { ...push, ops: [put('a', 2)] })).toMatchObject({ code: 'session_conflict' });
    expect(await writer.ask('read', { document: 'board-twice' })).toMatchObject({
      records: { a: { value: 1, seq: 1 } },
    });
    writer.close();
  });

  it('binds a session to its user, and to its newest channel', async () => {
    const session = 'a-session';
    const first = await RawClient.connect(server.url, { token: writeToken, session });
    const other = await RawClient.connect(server.url, { token: readToken, session });
    const second = await RawClient.connect(server.url, { token: writeToken, session });
    await first.ended();
    expect([second.isConnected, other.isConnected]).toEqual([true, true]);
    second.close();
    other.close();
  });
});

describe('at the door', () => {
  it('closes a connection that does not say who it is', async () => {
    const manager = new Manager(server.url, { transports: ['websocket'], reconnection: false });
    const closed = new Promise<string>((close) => manager.on('close', close));
    expect(await within(20_000, 'the connection to be closed', closed)).toBe('transport close');
  });

  it.each<[string, Parameters<typeof RawClient.connect>[1], string]>([
    ['no token', {}, 'unauthenticated'],
    ['a wrong token', { token: 'x.y.z' }, 'unauthenticated'],
    ['an older protocol', { auth: { protocol: 0 } }, 'unsupported_protocol'],
    ['a newer protocol', { auth: { protocol: 2 } }, 'unsupported_protocol'],
    ['no protocol', { auth: { protocol: undefined } }, 'invalid'],
    ['a session id that is strange', { session: 'a b' }, 'invalid'],
    ['a token that is no text', { auth: { token: { a: 1 } } }, 'invalid'],
  ])('refuses %s', async (_, options, code) => {
    await expect(RawClient.connect(server.url, options)).rejects.toMatchObject({ code });
  });

  it('refuses a token that has expired, and one that was signed by somebody else', async () => {
    const expired = await issueToken(SECRET, 'ada', { '*': 'write' }, -60_000);
    const foreign = await issueToken('another secret of 32 characters!', 'ada', { '*': 'write' }, HOUR_MS);
    for (const { token } of [expired, foreign])
      await expect(RawClient.connect(server.url, { token })).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('ends the access of a token that runs out on an open socket', async () => {
    const { token } = await issueToken(SECRET, 'ada', { 'board-*': 'write' }, 2_000);
    const client = await RawClient.connect(server.url, { token });
    await client.ask('open', { document: 'board-1' });
    expect(await client.seen('access')).toEqual({ document: 'board-1', access: 'none' });
    await client.ended();
  });

  it('lets pages of its own origin in, and none of another', async () => {
    const own = await RawClient.connect(server.url, { token: writeToken, origin: server.url });
    own.close();
    for (const origin of ['https://evil.example', `http://localhost.evil.example:${server.port}`, 'null'])
      await expect(RawClient.connect(server.url, { token: writeToken, origin })).rejects.toThrow();
  });
});

interface CallOptions {
  readonly method?: string;
  readonly body?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

describe('over HTTP', () => {
  const call = (path: string, { token = writeToken, headers = {}, ...init }: CallOptions = {}) => {
    const bearer = token === '' ? {} : { authorization: `Bearer ${token}` };
    return fetch(`${server.url}${path}`, {
      ...init,
      headers: { ...bearer, 'content-type': 'application/json', ...headers },
    });
  };
  const push = (document: string, body: unknown, headers: Record<string, string> = {}) =>
    call(`/v1/documents/${document}/push`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers,
    });

  it.each(BAD_OPS)('refuses a push with %s', async (_, ops, code) => {
    const response = await push('board-http', { ops });
    expect(response.ok).toBe(false);
    expect(await response.json()).toMatchObject({ ok: false, code, message: expect.any(String) });
    expect(await (await call('/v1/documents/board-http')).json()).toMatchObject({ position: { seq: 0 }, records: {} });
  });

  it.each<[string, () => Promise<Response>, number, string]>([
    ['a body that is not JSON', () => push('board-1', '{"ops":'), 400, 'invalid'],
    ['1e400', () => push('board-1', '{"ops":[{"op":"put","key":"a","value":1e400}]}'), 400, 'invalid'],
    ['a body of another type', () => push('board-1', 'ops=1', { 'content-type': 'text/plain' }), 400, 'invalid'],
    ['a body that is too large', () => push('board-1', { ops: 'x'.repeat(300_000) }), 413, 'too_large'],
    ['an array for a body', () => push('board-1', '[]'), 400, 'invalid'],
    ['a strange document id', () => call('/v1/documents/a%2F..%2Fb'), 400, 'invalid'],
    ['an address that does not decode', () => call('/v1/documents/%E0%A4%A'), 400, 'invalid'],
    ['an unknown address', () => call('/v1/nothing'), 404, 'invalid'],
    ['a forbidden document', () => call('/v1/documents/secret'), 403, 'forbidden'],
    ['a push to a forbidden document', () => push('secret', { ops: [put('a', 1)] }), 403, 'forbidden'],
    [
      'a push of who may only read',
      () =>
        call('/v1/documents/board-1/push', {
          method: 'POST',
          token: readToken,
          body: JSON.stringify({ ops: [put('a', 1)] }),
        }),
      403,
      'forbidden',
    ],
    ['no token', () => call('/v1/documents/board-1', { token: '' }), 401, 'unauthenticated'],
    ['a wrong token', () => call('/v1/documents/board-1', { token: 'x.y.z' }), 401, 'unauthenticated'],
    [
      'a position that is none',
      () => call('/v1/documents/board-1', { headers: { 'Homeport-Min-Position': 'x' } }),
      400,
      'invalid',
    ],
    [
      'a position of another history',
      () => call('/v1/documents/board-1', { headers: { 'Homeport-Min-Position': 'x.1' } }),
      410,
      'resync',
    ],
    [
      'an Idempotency-Key that is none',
      () => push('board-1', { ops: [put('a', 1)] }, { 'Idempotency-Key': 'x'.repeat(300) }),
      400,
      'invalid',
    ],
    ['entries from nowhere', () => call('/v1/documents/board-1/entries?from=x'), 400, 'invalid'],
    ['a guest where none are let in', () => call('/v1/guest', { method: 'POST' }), 403, 'forbidden'],
  ])('refuses %s', async (_, request, status, code) => {
    const response = await request();
    expect([response.status, await response.json()]).toEqual([
      status,
      expect.objectContaining({ ok: false, code, message: expect.any(String) }),
    ]);
    expect(await (await call('/v1/documents/board-1')).json()).toMatchObject({ ok: true, position: { seq: 0 } });
  });

  it('refuses nothing silently: the process has told of no bug and lives', async () => {
    expect(await (await fetch(`${server.url}/health/ready`)).json()).toEqual({ ok: true });
    expect(server.logs).not.toMatch(/"level":"(error|fatal)"/);
  });
});
