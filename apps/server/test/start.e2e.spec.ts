import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect, EmbeddedPostgres, migrate } from '@homeport/postgres';
import { MIGRATIONS } from '../../../libs/testkit/src/test-postgres.js';
import { RawClient, ServerProcess, until, within } from '@homeport/testkit';

// Real processes, on whatever machine this is: how long they take decides nothing.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let folder: string;
let postgres: EmbeddedPostgres;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeport-start-'));
  postgres = await EmbeddedPostgres.start(join(folder, 'postgres'), () => {});
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true });
});

async function createTestDatabase(): Promise<string> {
  const sql = connect(postgres.url, 1);
  await sql.unsafe('CREATE DATABASE taken_port');
  await sql.end();
  const url = new URL(postgres.url);
  url.pathname = '/taken_port';
  await migrate(url.href, MIGRATIONS);
  return url.href;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** One line for the operator, without a stack, and exit code 1. */
async function refused(env: Record<string, string>, args: readonly string[] = []): Promise<string> {
  const { code, stderr } = await ServerProcess.fail({ env: { LOG_LEVEL: 'silent', ...env }, args });
  expect(code).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  return stderr.trim();
}

describe('a start that can not be', () => {
  it('a wrong setting', async () => {
    expect(await refused({ PORT: 'x' })).toMatch(/^homeport: PORT must be a whole number/);
    expect(await refused({ REDIS_URL: 'localhost:6379' })).toMatch(/^homeport: REDIS_URL must be an address such as/);
    expect(await refused({ HOST: '0.0.0.0' })).toMatch(/^homeport: HOST .*ALLOW_OPEN=true/);
    expect(await refused({}, ['--prot', '1'])).toMatch(/^homeport: --prot is not known.*--help/);
  });

  it('a port that is taken', async () => {
    const other = createServer();
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    const { port } = other.address() as AddressInfo;
    expect(await refused({ PORT: String(port) })).toMatch(new RegExp(`^homeport: PORT ${port} is taken`));
    await new Promise((closed) => other.close(closed));
  });

  it('a port that somebody takes while the node starts: it leaves, and the next need not wait for it', async () => {
    const url = await createTestDatabase();
    const [holder, looker] = [connect(url, 1), connect(url, 1)];
    await holder.unsafe('BEGIN');
    await holder.unsafe('LOCK TABLE slot IN EXCLUSIVE MODE');
    const port = await freePort();
    const failing = ServerProcess.fail({ env: { LOG_LEVEL: 'silent', DATABASE_URL: url, PORT: String(port) } });
    await until(60_000, 'the start to wait for its slots', async () => {
      return (await looker`SELECT FROM pg_locks WHERE relation = 'slot'::regclass AND NOT granted`).length > 0;
    });
    const other = createServer();
    await new Promise<void>((listening) => other.listen(port, '127.0.0.1', listening));
    await holder.unsafe('COMMIT');
    expect(await failing).toMatchObject({ code: 1, stderr: expect.stringContaining('EADDRINUSE') as string });
    expect(await looker`SELECT state FROM node`).toEqual([{ state: 'left' }]);
    await Promise.all([holder.end(), looker.end(), new Promise((closed) => other.close(closed))]);
  });

  it('a data folder that can not be written', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    expect(await refused({ DATA_DIR: join(file, 'data') })).toMatch(/^homeport: DATA_DIR .* can not be written/);
  });

  it.each([
    ['no address', 'mysql://localhost/db', /^homeport: DATABASE_URL /],
    ['nobody there', 'postgres://localhost:1/db', /^homeport: Postgres at localhost:1 /],
    [
      'a host that does not exist',
      'postgres://no-such-host.invalid/db',
      /^homeport: Postgres at no-such-host\.invalid/,
    ],
  ])('a bad DATABASE_URL: %s', async (_, url, line) => {
    expect(await refused({ DATABASE_URL: url })).toMatch(line);
  });

  it('a database that does not exist, and no password in the line', async () => {
    const url = new URL(postgres.url);
    url.pathname = '/no-such-database';
    url.password = 'hunter2';
    const line = await refused({ DATABASE_URL: url.href });
    expect(line).toMatch(/^homeport: Postgres at .* has no database no-such-database/);
    expect(line).not.toContain('hunter2');
  });
});

describe('--help', () => {
  it('lists the settings and starts nothing', async () => {
    const { code, stdout } = await ServerProcess.fail({ args: ['--help'] });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}DATABASE_URL /m);
  });
});

describe('a second server', () => {
  it('on the same data folder says who is there, and leaves it alone', async () => {
    const first = await ServerProcess.start();
    try {
      const line = await refused({ DATA_DIR: first.dataDir! });
      expect(line).toMatch(new RegExp(`^homeport: DATA_DIR .* in use .*${first.pid}`));
      const client = await RawClient.connect(first.url);
      expect(await client.ask('open', { document: 'still-here' })).toMatchObject({ ok: true });
      client.close();
    } finally {
      await first.dispose();
    }
  });

  it('on the same database is refused beside a living one; W6, W10: forced, it fences the first, which exits', async () => {
    const env = { DATABASE_URL: postgres.url };
    const first = await ServerProcess.start({ env });
    let second: ServerProcess | undefined;
    try {
      expect(await refused(env)).toMatch(
        /^homeport: another Homeport node lives on this database: .*FORCE_TAKEOVER=true/,
      );

      const writer = await RawClient.connect(first.url, { session: 'writer' });
      await writer.ask('open', { document: 'fenced' });
      const push = (opNo: number) => ({
        document: 'fenced',
        opNo,
        after: opNo - 1,
        ops: [{ op: 'put', key: `k${opNo}`, value: opNo }],
      });
      let acknowledged = 0;
      const writing = (async () => {
        for (let opNo = 1; writer.isConnected; opNo++) {
          const reply = await writer.ask('push', push(opNo)).catch(() => undefined);
          if (!reply?.ok) return;
          acknowledged = opNo;
        }
      })();
      second = await ServerProcess.start({ env: { ...env, FORCE_TAKEOVER: 'true' } });
      const exit = await within(30_000, 'the first server to exit', first.exited, () => first.logs);
      expect(exit.code).toBe(75);
      expect(first.logs).toMatch(/this node lost its place and exits/);
      await writing;
      expect(acknowledged).toBeGreaterThan(0);

      const reader = await RawClient.connect(second.url, { session: 'writer' });
      const reply = await reader.ask('open', { document: 'fenced' });
      const { accepted } = reply['session'] as { accepted: number };
      // The one in flight when the fence fell may be in the log without an answer.
      expect([acknowledged, acknowledged + 1]).toContain(accepted);
      expect(await reader.ask('push', push(accepted + 1))).toMatchObject({ ok: true, position: { seq: accepted + 1 } });
      const { records } = (await reader.ask('read', { document: 'fenced' })) as unknown as { records: object };
      expect(Object.keys(records)).toHaveLength(accepted + 1);
      reader.close();
    } finally {
      await first.dispose();
      await second?.dispose();
    }
  });
});
