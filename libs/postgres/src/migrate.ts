import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, refusal } from './database.js';
import { StartRefused } from './start-refused.js';

/** Any number, the same in every version: whoever migrates holds this advisory lock. */
const LOCK = 4_867_331_204;
/** A migration may rewrite a table, and whoever starts meanwhile waits for it. */
const UNHURRIED = { statement_timeout: 0, lock_timeout: 0, idle_in_transaction_session_timeout: 0 };

/**
 * Brings the database to the state that the files of `directory` describe, and answers the names of those it applied:
 * `*.sql` in the order of their names, each in a transaction of its own together with the note that it was applied.
 * Rejects with `StartRefused` when an applied file has changed or is not there any more.
 *
 * Forty lines of our own: the libraries of this kind bring a second driver, a command line, or migrations as code.
 */
export async function migrate(url: string, directory: string): Promise<readonly string[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const sql = connect(url, 1, UNHURRIED);
  try {
    await sql`SELECT pg_advisory_lock(${LOCK}::bigint)`;
    await sql`CREATE TABLE IF NOT EXISTS migration (
      name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
    const rows = await sql<{ name: string; checksum: string }[]>`SELECT name, checksum FROM migration`;
    const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]));
    const unknown = [...applied.keys()].find((name) => !files.includes(name));
    if (unknown !== undefined) {
      throw new StartRefused(
        `the database has migration ${unknown}, which this version does not know: run a newer one`,
      );
    }
    const done: string[] = [];
    for (const name of files) {
      const text = (await readFile(join(directory, name), 'utf8')).replaceAll('\r\n', '\n');
      const checksum = createHash('sha256').update(text).digest('hex');
      if (applied.get(name) === checksum) continue;
      if (applied.has(name)) {
        throw new StartRefused(
          `migration ${name} was changed after it had been applied: restore it, and add a new file`,
        );
      }
      // One connection, which ends on any failure, and with it the transaction.
      await sql.unsafe('BEGIN');
      await sql.unsafe(text);
      await sql`INSERT INTO migration (name, checksum) VALUES (${name}, ${checksum})`;
      await sql.unsafe('COMMIT');
      done.push(name);
    }
    return done;
  } catch (error) {
    throw refusal(error, url);
  } finally {
    // Ends the session, and with it the advisory lock.
    await sql.end({ timeout: 5 });
  }
}
