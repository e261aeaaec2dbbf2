/**
 * A real Postgres for one test file. With DATABASE_URL: a database of its own on that server. Without: a private
 * embedded one in a temporary folder. Both are gone after `stop`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect, EmbeddedPostgres, migrate } from '@homeport/postgres';

/** The migrations of the project. */
export const MIGRATIONS = resolve(import.meta.dirname, '../../../migrations');

export interface TestPostgres {
  readonly url: string;
  /** An empty database beside the first, with the tables of the project unless `bare`. Answers its url. */
  createDatabase(options?: { readonly bare: boolean }): Promise<string>;
  stop(): Promise<void>;
}

export async function startTestPostgres(): Promise<TestPostgres> {
  const given = process.env['DATABASE_URL'];
  const created: string[] = [];
  const server = given === undefined ? await startPrivate() : { url: given, stop: () => dropAll(given, created) };
  const createDatabase = async ({ bare } = { bare: false }): Promise<string> => {
    const name = `homeport_test_${process.pid}_${Date.now()}_${created.length}`;
    created.push(name);
    await administer(server.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    if (!bare) await migrate(url.href, MIGRATIONS);
    return url.href;
  };
  return { url: await createDatabase(), createDatabase, stop: () => server.stop() };
}

async function startPrivate(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'homeport-test-'));
  const embedded = await EmbeddedPostgres.start(folder, () => {});
  return {
    url: embedded.url,
    stop: async () => {
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function dropAll(url: string, names: readonly string[]): Promise<void> {
  for (const name of names) await administer(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function administer(url: string, statement: string): Promise<void> {
  const sql = connect(url, 1, { statement_timeout: 0 });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
