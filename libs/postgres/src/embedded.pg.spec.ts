import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@homeport/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect, openDatabase } from './database.js';
import { EmbeddedPostgres } from './embedded.js';
import { isRunning } from './folder-lock.js';
import { StartRefused } from './start-refused.js';

/** Far beyond what any of this takes: a start is waited for, not timed. */
const WAIT_MS = 60_000;

describe('EmbeddedPostgres', { timeout: 2 * WAIT_MS }, () => {
  let folder: string;
  let running: EmbeddedPostgres[];
  let told: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'homeport-embedded-'));
    running = [];
    told = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((postgres) => postgres.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps what was written over a stop and a start, and is gone after a stop', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('can be trusted with acknowledged writes', async () => {
    const { url } = await start();
    await (await openDatabase(url)).close();
    for (const name of ['fsync', 'full_page_writes']) {
      await query(url, `ALTER SYSTEM SET ${name} = off`);
      await query(url, 'SELECT pg_reload_conf()');
      await until(WAIT_MS, `${name} is off`, async () => (await query(url, `SHOW ${name}`))[0]?.[name] === 'off');
      await expect(openDatabase(url)).rejects.toThrow(`${name} = off`);
      await query(url, `ALTER SYSTEM RESET ${name}`);
      await query(url, 'SELECT pg_reload_conf()');
      await until(WAIT_MS, `${name} is on`, async () => (await query(url, `SHOW ${name}`))[0]?.[name] === 'on');
    }
  });

  it('refuses a second server on the folder, and names the first', async () => {
    await start();
    await expect(start()).rejects.toThrow(`in use by the server with process id ${process.pid}`);
  });

  it('is adopted by the next server after its own was killed', async () => {
    const killed = await startElsewhere();
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    expect(isRunning(killed.pid)).toBe(true);
    const adopted = await start();
    expect(adopted.pid).toBe(killed.pid);
    expect(told.join()).toContain('outlived its server');
    expect(await query(adopted.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await adopted.stop();
    expect(isRunning(killed.pid)).toBe(false);
  });

  it('starts over a postmaster that was killed with its server', async () => {
    const killed = await startElsewhere();
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    process.kill(killed.pid, 'SIGKILL');
    const next = await start();
    expect(next.pid).not.toBe(killed.pid);
    expect(await query(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is started again at the same address when it dies, and connections come back by themselves', async () => {
    const postgres = await start();
    const sql = connect(postgres.url, 1);
    const { pid } = postgres;
    await sql`CREATE TABLE kept (x int)`;
    process.kill(pid, 'SIGKILL');
    await until(WAIT_MS, 'a new postmaster', () => postgres.pid !== pid);
    await until(WAIT_MS, 'the connection works again', () =>
      sql`INSERT INTO kept VALUES (1)`.then(
        () => true,
        () => false,
      ),
    );
    await sql.end();
  });

  it('says in one line that its folder can not be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const refused = await EmbeddedPostgres.start(join(file, 'data'), () => {}).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartRefused);
    expect(String(refused)).toMatch(/^StartRefused: DATA_DIR .* can not be written \(\w+\).*[^\n]$/);
  });

  it('says in one line why Postgres does not start', async () => {
    const postgres = await start();
    await postgres.stop();
    await writeFile(join(folder, 'postgres', 'postgresql.conf'), 'no_such_setting = 1\n');
    await expect(start()).rejects.toThrow(/did not start: .*DATABASE_URL/);
  });

  it('works in a folder whose path is too long for a socket', async () => {
    folder = join(folder, 'd'.repeat(120));
    const { url } = await start();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  async function start(): Promise<EmbeddedPostgres> {
    const postgres = await EmbeddedPostgres.start(folder, (line) => told.push(line));
    running.push(postgres);
    return postgres;
  }

  /** In a process of its own. Postgres is found running, so that it can be seen to outlive that process. */
  async function startElsewhere(): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
    const script = `
      const { createServer } = await import('vite');
      const vite = await createServer({ configFile: false, logLevel: 'error', server: { middlewareMode: true, ws: false }, optimizeDeps: { noDiscovery: true } });
      const { EmbeddedPostgres } = await vite.ssrLoadModule('${join(import.meta.dirname, 'embedded.ts')}');
      const postgres = await EmbeddedPostgres.start(${JSON.stringify(folder)}, () => {});
      console.log('pid ' + postgres.pid);
      setInterval(() => {}, 1_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until(
      WAIT_MS,
      'an embedded Postgres in another process',
      () => /^pid \d+$/m.test(output) || child.exitCode !== null,
    );
    const pid = /^pid (\d+)$/m.exec(output)?.[1];
    if (pid === undefined) throw new Error(output);
    return { child, pid: Number(pid) };
  }
});

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const sql = connect(url, 1);
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.end();
  }
}
