/**
 * The state of all documents, and the only place where there is any. `document` hands out the order, `entry` is what
 * happened, `record` what is so.
 */
import { connect } from '@homeport/postgres';
import type { DocumentId, Entry, Json, JsonObject, RecordStates, Seq } from '@homeport/protocol';

type Sql = ReturnType<typeof connect>;

const TABLES = `
  CREATE TABLE IF NOT EXISTS document (
    document_id text PRIMARY KEY,
    head bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 50);
  CREATE TABLE IF NOT EXISTS entry (
    document_id text NOT NULL,
    seq bigint NOT NULL,
    session text NOT NULL,
    op_no bigint NOT NULL,
    ops json NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (document_id, seq)
  );
  CREATE TABLE IF NOT EXISTS record (
    document_id text NOT NULL,
    key text NOT NULL,
    seq bigint NOT NULL,
    value jsonb NOT NULL,
    PRIMARY KEY (document_id, key)
  ) WITH (fillfactor = 50)`;

/** As Homeport's flushes have it: a prepared statement is planned once, by its index. */
const ONE_PLAN = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off' };

export interface Change {
  readonly document: DocumentId;
  readonly session: string;
  readonly opNo: number;
  readonly key: string;
  /** A patch changes these fields of the record; a put is all of it. */
  readonly kind: 'put' | 'patch';
  readonly value: Json;
  readonly ops: Entry['ops'];
}

export class BoardTable {
  private constructor(private readonly sql: Sql) {}

  static async open(databaseUrl: string, connections: number): Promise<BoardTable> {
    const sql = connect(databaseUrl, connections, ONE_PLAN);
    await sql.unsafe(TABLES);
    return new BoardTable(sql);
  }

  /** Makes the document if there is none. */
  async open(document: DocumentId): Promise<void> {
    await this.sql`INSERT INTO document (document_id) VALUES (${document}) ON CONFLICT DO NOTHING`;
  }

  /** One statement, so one transaction and one way to Postgres and back. The row of the document makes pushes wait for each other. */
  async push({ document, session, opNo, key, kind, value, ops }: Change): Promise<Seq> {
    const [row] = await this.sql<{ seq: Seq }[]>`
      WITH placed AS (
        UPDATE document SET head = head + 1 WHERE document_id = ${document} RETURNING head
      ), logged AS (
        INSERT INTO entry (document_id, seq, session, op_no, ops)
        SELECT ${document}, head, ${session}, ${opNo}::bigint, ${this.sql.json(ops as unknown as JsonObject)}::json
          FROM placed
      ), changed AS (
        INSERT INTO record (document_id, key, seq, value)
        SELECT ${document}, ${key}, head, ${this.sql.json(value as JsonObject)}::jsonb FROM placed
        ON CONFLICT (document_id, key) DO UPDATE
           SET seq = EXCLUDED.seq,
               value = CASE ${kind} WHEN 'patch' THEN record.value || EXCLUDED.value ELSE EXCLUDED.value END
      )
      SELECT head AS seq FROM placed`;
    if (!row) throw new Error(`${document} was never opened`);
    return row.seq;
  }

  async head(document: DocumentId): Promise<Seq> {
    const [row] = await this.sql<{ head: Seq }[]>`SELECT head FROM document WHERE document_id = ${document}`;
    return row?.head ?? (0 as Seq);
  }

  async records(document: DocumentId, keys?: readonly string[]): Promise<RecordStates> {
    const rows = keys
      ? await this.sql<RecordRow[]>`
          SELECT key, seq, value FROM record
           WHERE document_id = ${document} AND key = ANY(${this.sql.typed.texts(keys as never)})`
      : await this.sql<RecordRow[]>`SELECT key, seq, value FROM record WHERE document_id = ${document}`;
    return Object.fromEntries(rows.map(({ key, seq, value }) => [key, { value, seq }]));
  }

  async entriesAbove(document: DocumentId, seq: Seq): Promise<Omit<Entry, 'user'>[]> {
    return this.sql<Omit<Entry, 'user'>[]>`
      SELECT seq, session, op_no AS "opNo", extract(epoch FROM at)::float8 * 1000 AS at, ops FROM entry
       WHERE document_id = ${document} AND seq > ${seq} ORDER BY seq`;
  }
}

interface RecordRow {
  readonly key: string;
  readonly seq: Seq;
  readonly value: Json;
}
