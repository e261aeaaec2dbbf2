import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ServerProcess, until, within } from '@homeport/testkit';
import { issueToken } from '../src/auth/authenticator.js';

// Real processes, on whatever machine this is: how long they take decides nothing.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const SECRET = 'a secret of at least 32 characters';

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start({
    env: {
      AUTH_SECRET: SECRET,
      GUEST_GRANTS: '{"board-*":"write"}',
      RATE_GUESTS_PER_ADDRESS: '1',
      RATE_REQUESTS_PER_USER: '1',
      RATE_REQUESTS_PER_ADDRESS: '50',
      RATE_CONNECTIONS_PER_ADDRESS: '5',
    },
  });
});
afterAll(async () => {
  await server.dispose();
});

async function tokenOf(user: string): Promise<string> {
  return (await issueToken(SECRET, user, { '*': 'write' }, 3_600_000)).token;
}

function many<T>(count: number, ask: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, ask));
}

async function expectLimited(responses: readonly Response[]): Promise<void> {
  const limited = responses.filter(({ status }) => status === 429);
  expect(limited.length).toBeGreaterThan(0);
  for (const response of limited) {
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(await response.json()).toMatchObject({
      ok: false,
      code: 'rate_limited',
      retryAfterMs: expect.any(Number),
    });
  }
}

it('L3: an address that makes guests too fast is told when to come again', async () => {
  const responses = await many(10, () => fetch(`${server.url}/v1/guest`, { method: 'POST' }));
  expect(responses.some(({ ok }) => ok)).toBe(true);
  await expectLimited(responses);
});

it('L3: a user who asks too often over HTTP is told when to come again, and another is not', async () => {
  const [ada, bob] = [await tokenOf('ada'), await tokenOf('bob')];
  const ask = (token: string) =>
    fetch(`${server.url}/v1/documents/board-1`, { headers: { authorization: `Bearer ${token}` } });
  const responses = await many(10, () => ask(ada));
  expect(responses.some(({ ok }) => ok)).toBe(true);
  await expectLimited(responses);
  expect((await ask(bob)).status).toBe(200);
  await until(20_000, 'ada to be answered again', async () => (await ask(ada)).ok);
});

it('L3: an address that asks too often is refused before its tokens are looked at; health is told all the same', async () => {
  const responses = await many(1_000, () => fetch(`${server.url}/v1/documents/board-1`));
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401, 429]));
  await expectLimited(responses);
  expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
});

it('L3: connections come in at a bounded rate, and those sent away are told when to come, each at another time', async () => {
  const token = await tokenOf('ada');
  const refusals = (await many(60, () => connect(token))).filter((answer) => answer !== undefined);
  expect(refusals.length).toBeGreaterThan(1);
  expect(refusals.length).toBeLessThan(60);
  for (const refusal of refusals)
    expect(refusal).toEqual({
      code: 'unavailable',
      message: expect.any(String),
      retryAfterMs: expect.any(Number),
    });
  expect(new Set(refusals.map(({ retryAfterMs }) => retryAfterMs)).size).toBeGreaterThan(1);
  await until(20_000, 'a connection to be let in again', async () => (await connect(token)) === undefined);
});

/** Comes in and goes, and answers undefined; or what the refusal said. */
async function connect(token: string): Promise<{ readonly retryAfterMs: number } | undefined> {
  const socket = io(server.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { protocol: 1, token },
  });
  try {
    return await within(
      60_000,
      'an answer to a connection',
      new Promise((answered, failed) => {
        socket.once('hello', () => answered(undefined));
        socket.once('connect_error', (error: Error & { data?: { retryAfterMs: number } }) =>
          error.data ? answered(error.data) : failed(error),
        );
      }),
    );
  } finally {
    socket.disconnect();
  }
}
