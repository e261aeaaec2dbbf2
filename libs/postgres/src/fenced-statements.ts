/**
 * The SQL that acknowledged writes rest on.
 *
 * A flush F with (slot, epoch e) and a takeover T to e + 1 hold the slot row one after the other. F first: T waits, and
 * the new owner loads after T has committed, so it sees what F stored. T first: F does not find (slot, e), or waits and
 * Postgres evaluates the condition again on the new version of the row; nothing is stored. No clock is involved.
 *
 * Order of locks, everywhere: node rows by id, slot rows by number, document rows.
 */

/** The weakest row lock that conflicts with the update of a takeover, and does not starve it as FOR SHARE does. */
export const FENCE_LOCK = 'FOR NO KEY UPDATE OF s';

/**
 * $1 owner · per document: $2 id, $3 slot, $4 epoch, $5 old head, $6 new head, $7 entries: JSON texts with U+001E between
 * them, which no JSON text holds; in an array literal they would have to be escaped here and unescaped there.
 * Answers the documents whose slots are fenced in, and those of them that were stored.
 *
 * A document's first push creates its row; opening an absent one writes nothing. Two documents of one slot lock its row
 * twice, which costs less than joining the locked slots with the documents.
 */
export const append = (lock: string): string => `
WITH fence AS MATERIALIZED (
  SELECT b.* FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[],
                         string_to_array($7, E'\\x1e'))
                  AS b(document_id, slot, epoch, old_head, new_head, entries)
    JOIN slot s ON s.slot = b.slot AND s.epoch = b.epoch
   WHERE s.owner = $1 ORDER BY s.slot ${lock}
), heads AS (
  UPDATE document d SET head = f.new_head FROM fence f
   WHERE d.document_id = f.document_id AND d.slot = f.slot AND d.head = f.old_head
  RETURNING f.document_id, f.old_head + 1 AS seq, f.new_head, f.epoch, f.entries
), born AS (
  INSERT INTO document (document_id, slot, head)
  SELECT document_id, slot, new_head FROM fence WHERE old_head = 0
  ON CONFLICT DO NOTHING RETURNING document_id
), stored AS (
  INSERT INTO entry_batch (document_id, seq, to_seq, epoch, entries)
  SELECT * FROM heads
   UNION ALL
  SELECT f.document_id, 1, f.new_head, f.epoch, f.entries FROM born JOIN fence f USING (document_id)
  RETURNING document_id
)
SELECT to_json(ARRAY(SELECT document_id FROM fence)) AS fenced_in,
       to_json(ARRAY(SELECT document_id FROM stored)) AS stored`;

/**
 * $1 owner, $2 slot, $3 epoch, $4 document · upserts: $5 keys, $6 seqs, $7 values, $8 bytes, $9 writers, $10 others' seqs
 * · deletes: $11 keys, $12 seqs. Answers whether the fence held.
 *
 * A step that was given up may still arrive, after a later checkpoint has deleted one of its records. So nothing is
 * written that the checkpoint of the document covers already; the document row is locked to see the newest one.
 */
export const fold = (lock: string): string => folding(lock) + FENCED_IN;

/**
 * As `fold`, and then · $13 checkpoint, $14 forgotten_to · marks: $15 users, $16 sessions, $17 accepted, $18 recent,
 * $19 seqs, $20 times in ms · forgotten: $21 users, $22 sessions.
 */
export const foldAndAdvance = (lock: string): string => folding(lock) + ADVANCING + FENCED_IN;

const folding = (lock: string): string => `
WITH fence AS MATERIALIZED (
  SELECT s.slot FROM slot s WHERE s.slot = $2 AND s.epoch = $3 AND s.owner = $1 ${lock}
), target AS MATERIALIZED (
  SELECT d.checkpoint FROM document d WHERE d.document_id = $4 AND d.slot IN (SELECT slot FROM fence)
     FOR NO KEY UPDATE OF d
), upserts AS (
  INSERT INTO record (document_id, key, seq, value, bytes, writer, others_seq)
  SELECT $4, u.key, u.seq, u.value::json, u.bytes, u.writer, u.others_seq
    FROM target t, unnest($5::text[], $6::bigint[], $7::text[], $8::int[], $9::text[], $10::bigint[])
                   AS u(key, seq, value, bytes, writer, others_seq)
   WHERE u.seq > t.checkpoint
  ON CONFLICT (document_id, key) DO UPDATE
     SET seq = excluded.seq, value = excluded.value, bytes = excluded.bytes, writer = excluded.writer,
         others_seq = excluded.others_seq
   WHERE record.seq < excluded.seq
), deletes AS (
  DELETE FROM record r USING target t, unnest($11::text[], $12::bigint[]) AS x(key, seq)
   WHERE r.document_id = $4 AND r.key = x.key AND r.seq <= x.seq
)`;

const ADVANCING = `, advance AS (
  UPDATE document d SET checkpoint = $13, forgotten_to = greatest(d.forgotten_to, $14)
    FROM target t WHERE d.document_id = $4 AND t.checkpoint <= $13
  RETURNING d.document_id
), marks AS (
  INSERT INTO session_mark (document_id, user_id, session, accepted, recent, seq, at)
  SELECT a.document_id, m.user_id, m.session, m.accepted, m.recent::json, m.seq, to_timestamp(m.at / 1000)
    FROM advance a, unnest($15::text[], $16::text[], $17::bigint[], $18::text[], $19::bigint[], $20::float8[])
                    AS m(user_id, session, accepted, recent, seq, at)
  ON CONFLICT (document_id, user_id, session) DO UPDATE
     SET accepted = excluded.accepted, recent = excluded.recent, seq = excluded.seq, at = excluded.at
   WHERE session_mark.seq < excluded.seq
), forgotten AS (
  DELETE FROM session_mark m USING advance a, unnest($21::text[], $22::text[]) AS f(user_id, session)
   WHERE m.document_id = a.document_id AND m.user_id = f.user_id AND m.session = f.session
)`;

const FENCED_IN = `
SELECT EXISTS (SELECT FROM fence) AS fenced_in`;
