import type { Sql } from './connections.js';

/**
 * The name of this history, as a value in a statement: the uuid of the database, and the timeline of the server, which
 * changes when a standby is promoted or a backup is played forward.
 */
export const timeline = (sql: Sql) => sql`
  (SELECT id || '-' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) FROM timeline)`;
