-- The whole of Homeport at rest. Ownership (node, slot), the durable order (document, entry_batch), the state at each
-- document's checkpoint (record, session_mark). What people query: record, and the view entry.

-- One row: the name of this history. A restored copy that should count as another history gets a new one.
CREATE TABLE timeline (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO timeline DEFAULT VALUES;

-- One row per process start. renewals is what observers judge by; seen_at is for people.
CREATE TABLE node (
  node_id text PRIMARY KEY,
  name text NOT NULL,
  url text NOT NULL,
  host text NOT NULL,
  port int NOT NULL,
  machine_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('up', 'draining', 'dead', 'left')),
  renewals bigint NOT NULL DEFAULT 0,
  seen_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Who owns which hash bucket of documents, and how often that has changed. All rows exist from the start, so that a
-- lock on a slot is always a lock on a row.
CREATE TABLE slot (
  slot int PRIMARY KEY CHECK (slot BETWEEN 0 AND 1023),
  owner text,
  epoch bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO slot (slot) SELECT generate_series(0, 1023);

-- head: the last seq. checkpoint: the seq whose state the tables record and session_mark hold.
-- forgotten_to: the highest seq of a session mark that was forgotten.
CREATE TABLE document (
  document_id text PRIMARY KEY,
  slot int NOT NULL,
  head bigint NOT NULL CHECK (head > 0),
  checkpoint bigint NOT NULL DEFAULT 0 CHECK (checkpoint BETWEEN 0 AND head),
  forgotten_to bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- The log: one row per document and flush, the entries seq … to_seq as a JSON array. Text, because jsonb would reorder
-- keys and rewrite numbers.
CREATE TABLE entry_batch (
  document_id text NOT NULL,
  seq bigint NOT NULL,
  to_seq bigint NOT NULL CHECK (to_seq >= seq),
  epoch bigint NOT NULL,
  entries text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (document_id, seq)
);

-- value: json, not jsonb, which took half the time of opening a document to turn into text, reorders keys, and refuses
-- what a log of text accepts. It is queried in the same way (value ->> 'type'); what needs jsonb can cast or index a cast.
-- bytes: of the value as compact JSON. writer: the session that wrote seq. others_seq: the last change by any other session.
CREATE TABLE record (
  document_id text NOT NULL,
  key text NOT NULL,
  seq bigint NOT NULL,
  value json NOT NULL,
  bytes int NOT NULL,
  writer text NOT NULL,
  others_seq bigint NOT NULL,
  PRIMARY KEY (document_id, key)
);

-- What exactly-once rests on: per session the last accepted opNo, and its recent ones as [[opNo, seq, digest], …].
CREATE TABLE session_mark (
  document_id text NOT NULL,
  user_id text NOT NULL,
  session text NOT NULL,
  accepted bigint NOT NULL,
  recent json NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (document_id, user_id, session)
);

-- The log as one row per push.
CREATE VIEW entry AS
SELECT b.document_id,
       (e ->> 'seq')::bigint AS seq,
       b.epoch,
       e ->> 'user' AS user_id,
       e ->> 'session' AS session,
       (e ->> 'opNo')::bigint AS op_no,
       (e ->> 'after')::bigint AS after,
       to_timestamp((e ->> 'at')::float8 / 1000) AS at,
       e -> 'ops' AS ops
  FROM entry_batch b, json_array_elements(b.entries::json) AS e;
