/** The log as it stands in Postgres: the last word on what happened. */
import { connect } from '@homeport/postgres';
import type { DocumentId, Entry, Seq } from '@homeport/protocol';

/** `opNo` 0: a push without an identity, which nobody may repeat. */
export type LogEntry = Entry & { readonly after: number };

/** One row of `entry_batch`: what one flush appended to one document. */
export interface LogRow {
  readonly document: DocumentId;
  readonly seq: Seq;
  readonly toSeq: Seq;
  readonly epoch: number;
  readonly entries: readonly LogEntry[];
}

const READ_WITHIN_MS = 120_000;

/** Reads the whole log, by document and seq; or that of one document. */
export async function readFinalLog(databaseUrl: string, document?: DocumentId): Promise<LogRow[]> {
  const sql = connect(databaseUrl, 1, { statement_timeout: READ_WITHIN_MS });
  try {
    const rows = await sql<(Omit<LogRow, 'entries'> & { entries: string })[]>`
      SELECT document_id AS document, seq, to_seq AS "toSeq", epoch, entries FROM entry_batch
       WHERE ${document === undefined ? sql`true` : sql`document_id = ${document}`}
       ORDER BY document_id COLLATE "C", seq`;
    return rows.map((row) => ({ ...row, entries: JSON.parse(row.entries) as LogEntry[] }));
  } finally {
    await sql.end();
  }
}
