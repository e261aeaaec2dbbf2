/**
 * `DocumentLog` on Postgres: a row per document and flush, a row per record at the checkpoint.
 *
 * Three outcomes of a write. An error that the server *answers* with means that its transaction was undone: failed. A
 * FATAL ends the connection and may come after the commit; a lost connection and a passed deadline say nothing at all:
 * unknown. A statement of unknown outcome may be executed later, whoever owns the slot by then; the fence judges it.
 */
import { DocumentLog, logText } from '@homeport/core';
import type {
  AppendOutcome,
  Batch,
  CheckpointStep,
  LoadedDocument,
  LoggedEntry,
  RecordRow,
  Verdict,
} from '@homeport/core';
import type { DocumentId, Seq, Timeline } from '@homeport/protocol';
import { answeredCode, type Sql } from './connections.js';
import type { Database } from './database.js';
import { timeline } from './timeline.js';
import { append, FENCE_LOCK, fold, foldAndAdvance } from './fenced-statements.js';

const APPEND = append(FENCE_LOCK);
const FOLD = fold(FENCE_LOCK);
const FOLD_AND_ADVANCE = foldAndAdvance(FENCE_LOCK);

/** Batches looked at for one answer to `entries`. */
const BATCHES_MAX = 500;
/** A resume may always reach this far back, whatever the retention says. */
const TAIL_KEPT = 1_000;
const TRIM_DOCUMENTS = 1_000;
const TRIM_BATCHES = 1_000;

export interface LogSettings {
  /** How long folded batches stay in the log; null: for ever. */
  readonly retentionMs: number | null;
}

export class PostgresDocumentLog extends DocumentLog {
  readonly #database: Database;
  readonly #retentionMs: number | null;

  constructor(database: Database, settings: LogSettings) {
    super();
    this.#database = database;
    this.#retentionMs = settings.retentionMs;
  }

  async timeline(): Promise<Timeline> {
    const [row] = await this.#database.loads.run(
      (sql) => sql<{ id: Timeline | null }[]>`SELECT ${timeline(sql)} AS id`,
    );
    if (!row?.id) throw new Error('the database has no timeline: its migrations have not been applied');
    return row.id;
  }

  async append(owner: string, batches: readonly Batch[]): Promise<AppendOutcome> {
    const parameters = [
      owner,
      batches.map(({ document }) => document),
      batches.map(({ slot }) => slot),
      batches.map(({ epoch }) => epoch),
      batches.map(({ head }) => head),
      batches.map(({ head, entries }) => head + entries.length),
      batches.map(({ entries }) => `[${entries.map(logText).join(',')}]`).join(SEPARATOR),
    ];
    try {
      const [row] = await this.#database.writes.run((sql) => sql.unsafe<AppendRow[]>(APPEND, parameters, PREPARED));
      if (!row) throw new Error('a flush answered no row');
      return { kind: 'answered', verdicts: verdictsOf(batches, row) };
    } catch (error) {
      const reason = String(error);
      const code = answeredCode(error);
      if (code === undefined) return { kind: 'unknown', reason };
      return { kind: 'failed', poison: code.startsWith('22') || code.startsWith('23'), reason: `${reason} (${code})` };
    }
  }

  async load(document: DocumentId): Promise<LoadedDocument> {
    const rows = await this.#database.loads.run((sql) => selectDocument(sql, document));
    if (rows.length === 0) return NEVER_WRITTEN;
    const about = rows.find((row) => row.about !== null)?.about;
    if (about === undefined) throw new Error(`document ${document} has records, but lost its row`);
    const { head, checkpoint, forgottenTo, marks, batches } = about;
    const tail = batches.flatMap((text) => readEntries(text)).filter(({ seq }) => seq > checkpoint);
    assertGapless(document, tail, checkpoint, head);
    return { head, checkpoint, forgottenTo, marks, tail, records: rows.flatMap(readRecord) };
  }

  async entries(document: DocumentId, from: Seq, bytesMax: number): Promise<readonly LoggedEntry[] | 'trimmed'> {
    const rows = await this.#database.loads.run((sql) => selectEntries(sql, document, from, bytesMax));
    const first = rows[0];
    if (first === undefined || from > first.head) return [];
    if (first.seq === null || first.seq > from) return 'trimmed';
    const found = rows.flatMap(({ entries }) => readEntries(entries ?? '[]')).filter(({ seq }) => seq >= from);
    let bytes = 0;
    const fitting = found.findIndex((entry) => (bytes += JSON.stringify(entry).length) > bytesMax);
    return fitting < 0 ? found : found.slice(0, Math.max(1, fitting));
  }

  async checkpoint(owner: string, step: CheckpointStep): Promise<'done' | 'fenced' | 'failed'> {
    const { document, slot, epoch, upserts, deletes, advance } = step;
    const parameters = [
      owner,
      slot,
      epoch,
      document,
      upserts.map(({ key }) => key),
      upserts.map(({ seq }) => seq),
      upserts.map(({ value }) => JSON.stringify(value)),
      upserts.map(({ bytes }) => bytes),
      upserts.map(({ writer }) => writer),
      upserts.map(({ othersSeq }) => othersSeq),
      deletes.map(({ key }) => key),
      deletes.map(({ seq }) => seq),
    ];
    const advancing = advance && [
      advance.checkpoint,
      advance.forgottenTo,
      advance.marks.map(({ user }) => user),
      advance.marks.map(({ session }) => session),
      advance.marks.map(({ accepted }) => accepted),
      advance.marks.map(({ recent }) => JSON.stringify(recent)),
      advance.marks.map(({ seq }) => seq),
      advance.marks.map(({ at }) => at),
      advance.forgotten.map(({ user }) => user),
      advance.forgotten.map(({ session }) => session),
    ];
    try {
      const [row] = await this.#database.folds.run((sql) =>
        advancing
          ? sql.unsafe<FoldRow[]>(FOLD_AND_ADVANCE, [...parameters, ...advancing], PREPARED)
          : sql.unsafe<FoldRow[]>(FOLD, parameters, PREPARED),
      );
      return row?.fenced_in ? 'done' : 'fenced';
    } catch {
      return 'failed';
    }
  }

  /**
   * Deletes whole batches that are older than the retention, folded into a checkpoint, and further behind than any
   * resume is promised, oldest first, so that what stays reaches to the head without a gap. Answers how many.
   * Any node may do this at any time: a checkpoint never moves back.
   */
  async trim(): Promise<number> {
    if (this.#retentionMs === null) return 0;
    let trimmed = 0;
    let after: DocumentId | null = '';
    while (after !== null) {
      const page: TrimRow = await this.#trimPage(after, this.#retentionMs);
      trimmed += page.trimmed;
      after = page.last;
    }
    return trimmed;
  }

  async #trimPage(after: DocumentId, retentionMs: number): Promise<TrimRow> {
    const [row] = await this.#database.loads.run(
      (sql) => sql<TrimRow[]>`
        WITH page AS MATERIALIZED (
          SELECT document_id, least(checkpoint, head - ${TAIL_KEPT}) AS trim_to
            FROM document WHERE document_id > ${after} ORDER BY document_id LIMIT ${TRIM_DOCUMENTS}
        ), gone AS (
          DELETE FROM entry_batch b USING (
            SELECT page.document_id, o.seq, bool_and(o.is_old) OVER (PARTITION BY page.document_id ORDER BY o.seq) AS go
              FROM page, LATERAL (
                SELECT seq, to_seq <= page.trim_to AND at < now() - ${retentionMs} * interval '1 ms' AS is_old
                  FROM entry_batch WHERE document_id = page.document_id ORDER BY seq LIMIT ${TRIM_BATCHES}
              ) o
          ) oldest
          WHERE b.document_id = oldest.document_id AND b.seq = oldest.seq AND oldest.go
          RETURNING 1
        )
        SELECT (SELECT count(*) FROM gone) AS trimmed, (SELECT max(document_id) FROM page) AS last`,
    );
    if (!row) throw new Error('a trim answered no row');
    return row;
  }
}

const SEPARATOR = '\x1e';
const PREPARED = { prepare: true };
const NONE = 0 as Seq;
const NEVER_WRITTEN: LoadedDocument = {
  head: NONE,
  checkpoint: NONE,
  forgottenTo: NONE,
  records: [],
  marks: [],
  tail: [],
};

interface AppendRow {
  readonly fenced_in: readonly DocumentId[];
  readonly stored: readonly DocumentId[];
}
interface FoldRow {
  readonly fenced_in: boolean;
}
interface TrimRow {
  readonly trimmed: number;
  readonly last: DocumentId | null;
}

function verdictsOf(batches: readonly Batch[], row: AppendRow): ReadonlyMap<DocumentId, Verdict> {
  const stored = new Set(row.stored);
  const fencedIn = new Set(row.fenced_in);
  return new Map(
    batches.map(({ document }): [DocumentId, Verdict] => {
      if (stored.has(document)) return [document, 'durable'];
      return [document, fencedIn.has(document) ? 'diverged' : 'fenced'];
    }),
  );
}

type LoadRow = AboutRow | (RecordRow & { readonly about: null });
interface AboutRow extends Record<keyof RecordRow, null> {
  readonly about: Omit<LoadedDocument, 'records' | 'tail'> & { readonly batches: readonly string[] };
}

/**
 * All of a document in one statement, which is one snapshot: the first row is about the document, the others are its
 * records. In several statements a checkpoint that commits between them would be counted twice.
 */
const selectDocument = (sql: Sql, document: DocumentId) => sql<LoadRow[]>`
  SELECT json_build_object(
           'head', d.head, 'checkpoint', d.checkpoint, 'forgottenTo', d.forgotten_to,
           'marks', ARRAY(
             SELECT json_build_object('user', user_id, 'session', session, 'accepted', accepted, 'recent', recent,
                                      'seq', seq, 'at', (extract(epoch FROM at) * 1000)::bigint)
               FROM session_mark WHERE document_id = d.document_id),
           'batches', ARRAY(
             SELECT entries FROM entry_batch
              WHERE document_id = d.document_id AND to_seq > d.checkpoint
                AND seq >= (SELECT max(seq) FROM entry_batch
                             WHERE document_id = d.document_id AND seq <= d.checkpoint + 1)
              ORDER BY seq)) AS about,
         NULL AS key, NULL::bigint AS seq, NULL::json AS value, NULL::int AS bytes, NULL AS writer,
         NULL::bigint AS "othersSeq"
    FROM document d WHERE d.document_id = ${document}
   UNION ALL
  SELECT NULL, key, seq, value, bytes, writer, others_seq FROM record WHERE document_id = ${document}`;

function readRecord(row: LoadRow): RecordRow[] {
  if (row.about !== null) return [];
  const { key, seq, value, bytes, writer, othersSeq } = row;
  return [{ key, seq, value, bytes, writer, othersSeq }];
}

/**
 * The batch that holds \`from\` is the last that begins at or before it: one probe of the index, where \`to_seq >= from\`
 * would read every batch before it.
 */
const selectEntries = (sql: Sql, document: DocumentId, from: Seq, bytesMax: number) =>
  sql<{ head: Seq; seq: Seq | null; entries: string | null }[]>`
  SELECT d.head, b.seq, b.entries
    FROM document d LEFT JOIN LATERAL (
      SELECT seq, entries, sum(octet_length(entries)) OVER (ORDER BY seq) - octet_length(entries) AS bytes_before
        FROM (SELECT seq, entries FROM entry_batch
               WHERE document_id = d.document_id
                 AND seq >= coalesce((SELECT max(seq) FROM entry_batch
                                       WHERE document_id = d.document_id AND seq <= ${from}), 0)
               ORDER BY seq LIMIT ${BATCHES_MAX}) page
    ) b ON b.bytes_before <= ${bytesMax}
   WHERE d.document_id = ${document} ORDER BY b.seq`;

function readEntries(text: string): LoggedEntry[] {
  return JSON.parse(text) as LoggedEntry[];
}

/** What is in the log must be all of it: a gap means that rows were lost, and such a document is not served. */
function assertGapless(document: DocumentId, tail: readonly LoggedEntry[], checkpoint: Seq, head: Seq): void {
  const isWhole = tail.length === head - checkpoint && tail.every(({ seq }, index) => seq === checkpoint + index + 1);
  if (!isWhole)
    throw new Error(`the log of document ${document} does not reach from ${checkpoint} to ${head} without a gap`);
}
