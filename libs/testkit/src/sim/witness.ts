/**
 * What must hold, checked while it happens: everything that a client is shown or told is compared, at the moment at
 * which a node says it, with the log as it is on disk. The first violation is kept.
 */
import type { LoggedEntry } from '@homeport/core';
import {
  applyOp,
  canonicalJson,
  stateHash,
  type DocumentId,
  type Entry,
  type Epoch,
  type Json,
  type Op,
  type RecordState,
  type Seq,
  type SessionId,
} from '@homeport/protocol';
import { readEntries, type MemoryDatabase } from '../memory-database.js';

/** A copy of a document that is built of entries. */
export class Fold {
  readonly records = new Map<string, { value: Json; bytes: number; seq: Seq }>();

  apply({ seq, ops }: Pick<Entry, 'seq' | 'ops'>): void {
    const touched = new Set<string>();
    for (const op of ops) {
      // A record that a later page of a snapshot brought holds this entry already.
      const isAhead = (this.records.get(op.key)?.seq ?? 0) >= seq && !touched.has(op.key);
      if (!isAhead) this.#apply(op, seq);
      touched.add(op.key);
    }
  }

  get hash(): string {
    return stateHash(this.records);
  }

  #apply(op: Op, seq: Seq): void {
    const before = this.records.get(op.key);
    const applied = applyOp(before, op);
    if (!applied.ok) throw new Error(`the log holds an op that can not be applied: ${applied.why}`);
    if (applied.value === undefined) this.records.delete(op.key);
    else this.records.set(op.key, { value: applied.value, bytes: applied.bytes, seq });
  }
}

interface Ledger {
  readonly entries: LoggedEntry[];
  /** Of the state at each seq. */
  readonly hashes: string[];
  readonly fold: Fold;
  /** Every value that a key ever had, as `<key> <JSON>`. */
  readonly values: Set<string>;
  readonly accepted: Map<SessionId, { readonly last: number; readonly seqs: Map<number, Seq> }>;
  batches: number;
  epoch: Epoch;
  /** The highest seq that was acknowledged. */
  acked: Seq;
}

export class Witness {
  violation: string | undefined;
  readonly #database: MemoryDatabase;
  readonly #ledgers = new Map<DocumentId, Ledger>();
  readonly #refused: { document: DocumentId; session: SessionId; opNo: number }[] = [];
  readonly #acks: { document: DocumentId; session: SessionId; opNo: number; seq: Seq }[] = [];
  acks = 0;

  constructor(database: MemoryDatabase) {
    this.#database = database;
  }

  violated(rule: string, what: string): void {
    this.violation ??= `${rule} at ${this.#database.clock.monotonicMs().toFixed(1)} ms: ${what}`;
  }

  /** The highest seq that any client was told of: what is read from now on must be at least as young. */
  ackedTo(document: DocumentId): Seq {
    return this.#ledgerOf(document).acked;
  }

  headOf(document: DocumentId): Seq {
    return this.#ledgerOf(document).entries.length as Seq;
  }

  /** Of its values, as JSON in UTF-8. */
  bytesOf(document: DocumentId): number {
    const records = [...this.#ledgerOf(document).fold.records.values()];
    return records.reduce((sum, { value }) => sum + Buffer.byteLength(JSON.stringify(value)), 0);
  }

  entryAt(document: DocumentId, seq: number): LoggedEntry | undefined {
    return this.#ledgerOf(document).entries[seq - 1];
  }

  /** A node acknowledges. `ops` tell which push it is, where opNo does not. */
  acked(document: DocumentId, session: SessionId, opNo: number, seq: Seq): void {
    const ledger = this.#ledgerOf(document);
    const entry = ledger.entries[seq - 1];
    this.acks++;
    if (entry?.session !== session || entry.opNo !== opNo)
      return this.violated(
        'W8 W1',
        `${session} ${opNo} is acknowledged at ${seq} of ${document}, the log has ${name(entry)}`,
      );
    if (seq > ledger.acked) ledger.acked = seq;
    this.#acks.push({ document, session, opNo, seq });
  }

  /** A client hears that a push was refused for good. */
  refused(document: DocumentId, session: SessionId, opNo: number): void {
    this.#refused.push({ document, session, opNo });
  }

  /** A refusal shows what is under a key. */
  showedValue(document: DocumentId, key: string, value: Json | null): void {
    if (value !== null && !this.#ledgerOf(document).values.has(`${key} ${canonicalJson(value)}`))
      this.violated('R5', `a refusal shows ${JSON.stringify(value)} under ${key} of ${document}, which never was`);
  }

  /** Entries are shown, in a frame, a tail or a repair. */
  shown(document: DocumentId, entries: readonly Entry[]): void {
    for (const { seq, session, opNo, ops } of entries) {
      const entry = this.entryAt(document, seq);
      if (entry?.session !== session || entry.opNo !== opNo || JSON.stringify(entry.ops) !== JSON.stringify(ops))
        this.violated('R5', `entry ${seq} of ${document} is shown as ${session} ${opNo}, the log has ${name(entry)}`);
    }
  }

  /** A state is shown, as a snapshot or a read, that was asked for when `floor` was known to the asker, or acknowledged. */
  showed(document: DocumentId, position: Seq, floor: Seq, records: Iterable<readonly [string, RecordState]>): void {
    if (position < floor) this.violated('R1', `${document} is read at ${position}, ${floor} was there before`);
    this.copied(document, position, stateHash(records));
  }

  /** Somebody has a copy at `position`. */
  copied(document: DocumentId, position: Seq, hash: string): void {
    const expected = this.#ledgerOf(document).hashes[position];
    if (expected === undefined) return this.violated('R5', `${document} is shown at ${position}, the log ends before`);
    if (expected !== hash) this.violated('R4 D3', `${document} at ${position} is not the fold of its entries`);
  }

  /** The end: what was promised is there for ever, what was refused is not. */
  concluded(): void {
    for (const { document, session, opNo, seq } of this.#acks) {
      const entry = this.entryAt(document, seq);
      if (entry?.session !== session || entry.opNo !== opNo)
        this.violated('W1', `${session} ${opNo} was acknowledged at ${seq} of ${document}, the log has ${name(entry)}`);
    }
    for (const { document, session, opNo } of this.#refused) {
      const seq = this.#ledgerOf(document).accepted.get(session)?.seqs.get(opNo);
      if (seq !== undefined) this.violated('W9', `${session} ${opNo} was refused, and is ${seq} of ${document}`);
    }
  }

  /** Reads on in the log, and checks what it can say by itself. */
  #ledgerOf(document: DocumentId): Ledger {
    let ledger = this.#ledgers.get(document);
    if (ledger === undefined) {
      const fold = new Fold();
      const none = 0 as Seq;
      const accepted = new Map<SessionId, { last: number; seqs: Map<number, Seq> }>();
      const values = new Set<string>();
      ledger = { entries: [], hashes: [fold.hash], fold, values, accepted, batches: 0, epoch: 0 as Epoch, acked: none };
      this.#ledgers.set(document, ledger);
    }
    const batches = this.#database.documents.get(document)?.batches ?? [];
    for (; ledger.batches < batches.length; ledger.batches++) {
      const { epoch, entries } = batches[ledger.batches]!;
      if (epoch < ledger.epoch)
        this.violated('W3', `an entry of epoch ${epoch} follows one of ${ledger.epoch} in ${document}`);
      ledger.epoch = epoch;
      for (const entry of readEntries(entries)) this.#follow(document, ledger, entry);
    }
    return ledger;
  }

  #follow(document: DocumentId, ledger: Ledger, entry: LoggedEntry): void {
    const { seq, session, opNo, after } = entry;
    if (seq !== ledger.entries.length + 1)
      this.violated('W2', `${seq} follows ${ledger.entries.length} in the log of ${document}`);
    ledger.entries.push(entry);
    ledger.fold.apply(entry);
    for (const { key } of entry.ops) {
      const record = ledger.fold.records.get(key);
      if (record !== undefined) ledger.values.add(`${key} ${canonicalJson(record.value)}`);
    }
    ledger.hashes.push(ledger.fold.hash);
    const { last, seqs } = ledger.accepted.get(session) ?? { last: 0, seqs: new Map<number, Seq>() };
    if (seqs.has(opNo)) this.violated('W5', `${session} ${opNo} is at ${seqs.get(opNo)} and at ${seq} of ${document}`);
    else if (opNo > 0 && (opNo <= last || after !== last))
      this.violated('W4', `${session} ${opNo} names ${after}, the one accepted before it was ${last}, in ${document}`);
    ledger.accepted.set(session, { last: opNo, seqs: seqs.set(opNo, seq) });
  }
}

function name(entry: LoggedEntry | undefined): string {
  return entry === undefined ? 'nothing' : `${entry.session} ${entry.opNo}`;
}
