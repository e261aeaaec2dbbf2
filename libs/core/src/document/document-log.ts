/**
 * The durable side of documents: an append-only log, and the records table that checkpoints keep close behind it.
 *
 * The log decides what happened. An owner that was deposed can call any of these at any later time, from any state: the
 * fence, which rides inside each writing statement, compares the epoch of every slot written with the slot row, so a
 * write either carries the present epoch or does nothing. That, and no clock, is what acknowledged writes rest on.
 */
import type { DocumentId, Json, Seq, SessionId, Timeline, UserId } from '@homeport/protocol';
import type { LoggedEntry, PlacedEntry } from './entry.js';
import type { Tenure } from './slot.js';

/** One document's part of a flush: entries `head + 1 …`, in order, at least one. */
export interface Batch extends Tenure {
  readonly document: DocumentId;
  /** The committed head that the entries follow; 0: the document has no row yet. */
  readonly head: Seq;
  readonly entries: readonly PlacedEntry[];
  /** Bytes of the ops as JSON. */
  readonly bytes: number;
}

/** Per document: stored; refused by the fence; or the head in the log is not the one expected, though the fence held. */
export type Verdict = 'durable' | 'fenced' | 'diverged';

export type AppendOutcome =
  | { readonly kind: 'answered'; readonly verdicts: ReadonlyMap<DocumentId, Verdict> }
  /** The database answered with an error: nothing of the flush was stored. `poison`: the data itself was refused (SQLSTATE 22, 23). */
  | { readonly kind: 'failed'; readonly poison: boolean; readonly reason: string }
  /** No answer came: the flush may be stored, or may yet be. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** A record at rest. `writer` and `othersSeq` as in protocol's `Stored`. */
export interface RecordRow {
  readonly key: string;
  readonly seq: Seq;
  readonly value: Json;
  /** Bytes of the value as JSON. */
  readonly bytes: number;
  readonly writer: SessionId;
  readonly othersSeq: Seq;
}

/** What a document remembers of a session for exactly-once: the acks among its last 64 opNos, with their digests. */
export interface SessionMarkRow {
  readonly user: UserId;
  readonly session: SessionId;
  readonly accepted: number;
  readonly recent: readonly (readonly [opNo: number, seq: Seq, digest: string])[];
  /** Seq and wall time (ms) of its last accepted push: the oldest marks are forgotten first. */
  readonly seq: Seq;
  readonly at: number;
}

export interface LoadedDocument {
  readonly head: Seq;
  readonly checkpoint: Seq;
  readonly forgottenTo: Seq;
  readonly records: readonly RecordRow[];
  readonly marks: readonly SessionMarkRow[];
  /** The entries `checkpoint + 1 … head`. Some records may be ahead of `checkpoint`: an entry applies where its seq is above the record's. */
  readonly tail: readonly LoggedEntry[];
}

/** A bounded part of a checkpoint (at most 500 records and marks). The last one carries `advance`. */
export interface CheckpointStep extends Tenure {
  readonly document: DocumentId;
  readonly upserts: readonly RecordRow[];
  readonly deletes: readonly { readonly key: string; readonly seq: Seq }[];
  readonly advance?: {
    readonly checkpoint: Seq;
    readonly forgottenTo: Seq;
    readonly marks: readonly SessionMarkRow[];
    readonly forgotten: readonly { readonly user: UserId; readonly session: SessionId }[];
  };
}

export abstract class DocumentLog {
  /** The name of this history: a uuid made by the migration, and Postgres's own timeline. */
  abstract timeline(): Promise<Timeline>;

  /**
   * Stores the batches of any number of documents, in one statement, each document whole or not at all.
   * Must answer `fenced` for each document whose slot is not `owner`'s at the batch's epoch at the moment of commit.
   * Must not answer `durable` before the commit. Never rejects.
   */
  abstract append(owner: string, batches: readonly Batch[]): Promise<AppendOutcome>;

  /**
   * One consistent snapshot of a document, begun after this call. A document that was never written is head 0 and empty.
   * Rejects when it can not be read whole: a failed load must never look like an empty document.
   */
  abstract load(document: DocumentId): Promise<LoadedDocument>;

  /**
   * Entries `from …` in order, at least one if `from` ≤ head, at most about `bytesMax` of them.
   * `trimmed`: the log does not reach back to `from` any more. Rejects when the log can not be read.
   */
  abstract entries(document: DocumentId, from: Seq, bytesMax: number): Promise<readonly LoggedEntry[] | 'trimmed'>;

  /**
   * Writes a part of a checkpoint under the fence. An upsert never lowers a record's seq, nor writes one that
   * the document's checkpoint covers already; a delete only takes rows with seq ≤ its own. `failed`: nothing, or not
   * known to be anything, was written; the step may be repeated, and may yet arrive. Never rejects.
   */
  abstract checkpoint(owner: string, step: CheckpointStep): Promise<'done' | 'fenced' | 'failed'>;
}
