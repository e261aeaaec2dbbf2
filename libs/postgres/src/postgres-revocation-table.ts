import { RevocationTable, type Revocation } from '@homeport/core';
import type { UserId } from '@homeport/protocol';
import type { Sql } from './connections.js';
import type { Database } from './database.js';

export class PostgresRevocationTable extends RevocationTable {
  readonly #database: Database;

  constructor(database: Database) {
    super();
    this.#database = database;
  }

  revoke(subject: UserId, pattern: string): Promise<Revocation> {
    return this.#database.transact(async (sql) => {
      // One writer at a time takes an id and commits it: else a reader might see the higher one first, and go on from there.
      await sql`LOCK TABLE revocation IN SHARE ROW EXCLUSIVE MODE`;
      const [row] = await sql<Revocation[]>`
        INSERT INTO revocation (subject, pattern, at) VALUES (${subject}, ${pattern}, clock_timestamp())
            ON CONFLICT (subject, pattern) DO UPDATE SET revocation_id = excluded.revocation_id, at = excluded.at
        RETURNING ${columns(sql)}`;
      return row!;
    });
  }

  async after(id: number): Promise<readonly Revocation[]> {
    const rows = await this.#database.loads.run(
      (sql) => sql<Revocation[]>`
        SELECT ${columns(sql)} FROM revocation WHERE revocation_id > ${id} ORDER BY revocation_id`,
    );
    return [...rows];
  }
}

const columns = (sql: Sql) => sql`
  revocation_id AS id, subject, pattern, extract(epoch FROM at)::float8 * 1000 AS "atMs"`;
