import { createServer, connect as dial, type AddressInfo, type Server, type Socket } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIGRATIONS, startTestPostgres, type TestPostgres } from '../../testkit/src/test-postgres.js';
import { until } from '@homeport/testkit';
import type { Sql } from './connections.js';
import { connect, openDatabase } from './database.js';
import { migrate } from './migrate.js';
import { StartRefused } from './start-refused.js';

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.stop());

describe('openDatabase', () => {
  it('sets what acknowledged writes rest on for every connection', async () => {
    const database = await openDatabase(server.url);
    const settings = async (sql: Sql) => sql`
      SELECT current_setting('synchronous_commit') AS commit, current_setting('transaction_isolation') AS isolation,
             current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock`;
    const expected = [{ commit: 'on', isolation: 'read committed', statement: '5s', lock: '3s' }];
    for (const group of [database.writes, database.loads, database.lease]) {
      expect([...(await group.run(settings))]).toEqual(expected);
    }
    await database.close();
  });

  it('finds all connections open that pushes, loads and checkpoints take', async () => {
    const database = await openDatabase(await server.createDatabase());
    // Those that looked for a pooler may take a moment to end.
    await until(10_000, 'two lanes, two for checkpoints, three for loads', async () => {
      const open = (sql: Sql) => sql`SELECT FROM pg_stat_activity WHERE datname = current_database()`;
      return (await database.loads.run(open)).length === 2 + 2 + 3;
    });
    await database.close();
  });

  it('transactions that follow each other share a connection; others, and those after a failure, have one of their own', async () => {
    const database = await openDatabase(server.url);
    const backend = async (sql: Sql): Promise<number> =>
      (await sql`SELECT pg_backend_pid() AS pid`)[0]!['pid'] as number;
    const first = await database.transact(backend);
    expect(await database.transact(backend)).toBe(first);

    let inner = 0;
    await database.transact(async (sql) => {
      expect(await backend(sql)).toBe(first);
      inner = await database.transact(backend);
    });
    expect(inner).not.toBe(first);

    // The server knows of one of these failures, and not of the other.
    for (const fail of [(sql: Sql) => sql`SELECT 1 / 0`, () => Promise.reject(new Error('on purpose'))]) {
      let failed = 0;
      const failing = database.transact(async (sql) => {
        failed = await backend(sql);
        await sql`CREATE TABLE undone ()`;
        await fail(sql);
      });
      await expect(failing).rejects.toThrow();
      expect(await database.transact(backend)).not.toBe(failed);
    }
    const [row] = await database.loads.run((sql) => sql`SELECT to_regclass('undone') AS name`);
    expect(row).toEqual({ name: null });
    await database.close();
  });

  it('what is asked at the same time goes over connections of its own, each with a driver of its own', async () => {
    const database = await openDatabase(server.url);
    for (const [group, count] of [
      [database.writes, 2],
      [database.folds, 2],
      [database.loads, 3],
    ] as const) {
      const backends = new Set<unknown>();
      let all = (): void => {};
      const allAnswered = new Promise<void>((answered) => (all = answered));
      let answers = 0;
      const ask = async (sql: Sql): Promise<void> => {
        expect(sql.options.max).toBe(1);
        const [row] = await sql`SELECT pg_backend_pid() AS pid`;
        backends.add(row?.['pid']);
        if (++answers === count) all();
        await allAnswered;
      };
      await Promise.all(Array.from({ length: count }, () => group.run(ask)));
      expect(backends.size).toBe(count);
    }
    await database.close();
  });

  it.each([
    ['synchronous_commit=off', 'synchronous_commit = off'],
    ['default_transaction_isolation=serializable', 'default_transaction_isolation = serializable'],
    ['statement_timeout=0', 'statement_timeout = 0'],
  ])('refuses an address that asks for %s', async (setting, line) => {
    expect(await refusalOf(withSearch(server.url, setting))).toContain(line);
  });

  it('refuses tables that a crash would empty', async () => {
    const url = await server.createDatabase();
    await execute(url, 'ALTER TABLE entry_batch SET UNLOGGED');
    expect(await refusalOf(url)).toContain('entry_batch is unlogged');
  });

  it('refuses a transaction pooler in between', async () => {
    const pooler = await TransactionPooler.start(server.url);
    try {
      expect(await refusalOf(pooler.url)).toContain('transaction pooler');
    } finally {
      await pooler.stop();
    }
  });

  it.each([
    '',
    'nonsense',
    'mysql://ada:hunter2@localhost/db',
    'postgres://ada:hunter2@local host/db',
    'postgres://:::/',
  ])('refuses %j as an address, in one line without the password', async (url) => {
    expect(await refusalOf(url)).toMatch(/^DATABASE_URL is not a database address: /);
  });

  it('says where nobody answers', async () => {
    const free = createServer();
    const port = await listen(free);
    await close(free);
    const line = await refusalOf(`postgres://ada:hunter2@127.0.0.1:${port}/db`);
    expect(line).toContain(`Postgres at 127.0.0.1:${port} can not be used: `);
    expect(line).toContain('ECONNREFUSED');
  });

  it('says which user is not let in', async () => {
    const url = withUser(server.url, 'nobody_of_this_name');
    expect(await refusalOf(url)).toContain('does not let user nobody_of_this_name in');
  });

  it('says which password is wrong, and shows none', async () => {
    const guard = await PasswordGuard.start();
    try {
      const line = await refusalOf(`postgres://ada:hunter2@127.0.0.1:${guard.port}/db`);
      expect(line).toContain(`127.0.0.1:${guard.port} does not let user ada in: check user and password`);
    } finally {
      await guard.stop();
    }
  });

  it('says which database is missing', async () => {
    const url = new URL(server.url);
    url.pathname = '/no_such_database';
    expect(await refusalOf(url.href)).toContain('has no database no_such_database');
  });
});

describe('migrate', () => {
  it('applies everything once, also when several start at the same time', async () => {
    const url = await server.createDatabase({ bare: true });
    const applied = await Promise.all([1, 2, 3].map(() => migrate(url, MIGRATIONS)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect(await migrate(url, MIGRATIONS)).toEqual([]);
    expect(await execute(url, 'SELECT count(*)::int AS slots FROM slot')).toEqual([{ slots: 1_024 }]);
  });

  it('applies a file whole or not at all, goes on from there, and refuses a changed or a missing one', async () => {
    const url = await server.createDatabase({ bare: true });
    const folder = await mkdtemp(join(tmpdir(), 'homeport-migrations-'));
    try {
      await writeFile(join(folder, '0001_a.sql'), 'CREATE TABLE a (x int); INSERT INTO a VALUES (1);');
      await writeFile(join(folder, '0002_b.sql'), 'CREATE TABLE b (x int); SELECT 1 / 0;');
      await expect(migrate(url, folder)).rejects.toThrow('division by zero');
      expect(await execute(url, `SELECT to_regclass('a') IS NOT NULL AS a, to_regclass('b') IS NOT NULL AS b`)).toEqual(
        [{ a: true, b: false }],
      );
      await writeFile(join(folder, '0002_b.sql'), 'CREATE TABLE b (x int);');
      expect(await migrate(url, folder)).toEqual(['0002_b.sql']);
      await writeFile(join(folder, '0001_a.sql'), 'CREATE TABLE a (y int);');
      await expect(migrate(url, folder)).rejects.toThrow('0001_a.sql was changed after it had been applied');
      await rm(join(folder, '0001_a.sql'));
      await expect(migrate(url, folder)).rejects.toThrow('0001_a.sql, which this version does not know');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

async function refusalOf(url: string): Promise<string> {
  const refused = await openDatabase(url).then(
    () => new Error('it was opened'),
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(StartRefused);
  const { message } = refused as StartRefused;
  expect(message).not.toContain('hunter2');
  expect(message).not.toContain('\n');
  return message;
}

async function execute(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const sql = connect(url, 1);
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function withSearch(url: string, search: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${search}`;
}

function withUser(url: string, user: string): string {
  const changed = new URL(url);
  changed.username = user;
  return changed.href;
}

async function listen(listener: Server): Promise<number> {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return (listener.address() as AddressInfo).port;
}

function close(listener: Server): Promise<void> {
  return new Promise((resolve) => listener.close(() => resolve()));
}

/** Answers every start of a session as Postgres answers a wrong password. */
class PasswordGuard {
  private constructor(
    readonly port: number,
    private readonly listener: Server,
  ) {}

  static async start(): Promise<PasswordGuard> {
    const fields = 'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "ada"\0\0';
    const reply = Buffer.alloc(5 + fields.length);
    reply.write('E', 0);
    reply.writeInt32BE(4 + fields.length, 1);
    reply.write(fields, 5);
    const listener = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(reply));
    });
    return new PasswordGuard(await listen(listener), listener);
  }

  stop(): Promise<void> {
    return close(this.listener);
  }
}

/** Two sessions with Postgres, lent to whoever has a statement, for as long as its transaction takes. */
class TransactionPooler {
  readonly #listener = createServer((client) => void this.#serve(client));
  readonly #target: URL;
  readonly #free: Socket[] = [];
  readonly #all: Socket[] = [];
  readonly #waiting: ((backend: Socket) => void)[] = [];
  #greeting: Buffer | undefined;
  #port = 0;

  private constructor(url: string) {
    this.#target = new URL(url);
  }

  static async start(url: string): Promise<TransactionPooler> {
    const pooler = new TransactionPooler(url);
    pooler.#port = await listen(pooler.#listener);
    return pooler;
  }

  get url(): string {
    const { username, password, pathname } = this.#target;
    return `postgres://${username}${password === '' ? '' : `:${password}`}@127.0.0.1:${this.#port}${pathname}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#all) socket.destroy();
    await close(this.#listener);
  }

  async #serve(client: Socket): Promise<void> {
    this.#all.push(client);
    client.on('error', () => {});
    const startup = await new Promise<Buffer>((resolve) => client.once('data', resolve));
    if (this.#greeting === undefined) {
      const greetings = [await this.#dial(startup), await this.#dial(startup)];
      this.#greeting = greetings[0];
    }
    let backend: Socket | undefined;
    let sent = Promise.resolve();
    client.on('data', (message: Buffer) => {
      if (message.toString('latin1', 0, 1) === 'X') return;
      sent = sent.then(async () => {
        backend ??= await this.#borrow();
        const borrowed = backend;
        borrowed.removeAllListeners('data').on('data', (answer: Buffer) => {
          client.write(answer);
          // Ready for the next query, in no transaction.
          if (!answer.subarray(-6).equals(Buffer.from('Z\0\0\0\x05I', 'latin1'))) return;
          backend = undefined;
          this.#lend(borrowed);
        });
        borrowed.write(message);
      });
    });
    client.write(this.#greeting ?? '');
  }

  async #dial(startup: Buffer): Promise<Buffer> {
    const folder = this.#target.searchParams.get('host');
    const port = this.#target.searchParams.get('port') ?? (this.#target.port || '5432');
    const backend = folder === null ? dial(Number(port), this.#target.hostname) : dial(`${folder}/.s.PGSQL.${port}`);
    this.#all.push(backend);
    backend.on('error', () => {});
    backend.write(startup);
    let greeting = Buffer.alloc(0);
    while (!greeting.subarray(-6).equals(Buffer.from('Z\0\0\0\x05I', 'latin1'))) {
      greeting = Buffer.concat([greeting, await new Promise<Buffer>((resolve) => backend.once('data', resolve))]);
    }
    this.#free.push(backend);
    return greeting;
  }

  #borrow(): Promise<Socket> {
    const backend = this.#free.pop();
    return backend ? Promise.resolve(backend) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  #lend(backend: Socket): void {
    const next = this.#waiting.shift();
    if (next) next(backend);
    else this.#free.push(backend);
  }
}
