/**
 * `DocumentLog` over a `MemoryDatabase`: the same statements as the real one, with the same fence, step by step.
 *
 * One of these belongs to one process, and so does its link. Several may write to one database at the same time: that
 * is what a deposed owner does.
 */
import {
  DocumentLog,
  logText,
  type AppendOutcome,
  type Batch,
  type CheckpointStep,
  type LoadedDocument,
  type LoggedEntry,
  type Slot,
  type Tenure,
  type Verdict,
} from '@homeport/core';
import type { DocumentId, Seq, Timeline } from '@homeport/protocol';
import { readEntries, type DocumentTables, type LockRows, type MemoryDatabase } from './memory-database.js';
import { StatementFailed, type MemoryLink } from './memory-link.js';

/** Data that the database refuses, whoever sends it. */
export type Poison = (entry: LoggedEntry) => boolean;

/** The server refused the data of a statement: SQLSTATE 22 and 23. */
class DataRefused extends Error {}

export class MemoryDocumentLog extends DocumentLog {
  readonly #link: MemoryLink;
  readonly #database: MemoryDatabase;
  readonly #poison: Poison;

  constructor(link: MemoryLink, poison: Poison = () => false) {
    super();
    this.#link = link;
    this.#database = link.database;
    this.#poison = poison;
  }

  timeline(): Promise<Timeline> {
    return this.#link.send('timeline', () =>
      this.#database.transact(async () => ({ answer: this.#database.timeline })),
    );
  }

  async append(owner: string, batches: readonly Batch[]): Promise<AppendOutcome> {
    // Text from here on, in this tick: what the caller does to its objects afterwards is not what was sent.
    const sent = batches.map(({ entries, ...batch }) => ({ ...batch, entries: entries.map(logText) }));
    const poisoned = sent.some(({ entries }) => readEntries(entries).some(this.#poison));
    try {
      return await this.#link.send('append', () =>
        this.#database.transact(async (lock) => {
          const seenHeads = new Map(sent.map(({ document }) => [document, this.#database.headOf(document)]));
          const fence = await this.fence(owner, sent, lock);
          if (poisoned) throw new DataRefused('the data was refused');
          const verdicts = new Map<DocumentId, Verdict>();
          for (const { document, slot, head } of sent) {
            const matches = seenHeads.get(document) === head && this.#database.headOf(document) === head;
            verdicts.set(document, !fence.has(slot) ? 'fenced' : matches ? 'durable' : 'diverged');
          }
          const stored = sent.filter(({ document }) => verdicts.get(document) === 'durable');
          return { answer: { kind: 'answered', verdicts }, write: () => stored.forEach((batch) => this.#store(batch)) };
        }),
      );
    } catch (error) {
      if (error instanceof DataRefused) return { kind: 'failed', poison: true, reason: error.message };
      if (!(error instanceof StatementFailed)) throw error;
      if (error.end === 'refused') return { kind: 'failed', poison: false, reason: error.message };
      return { kind: 'unknown', reason: error.message };
    }
  }

  load(document: DocumentId): Promise<LoadedDocument> {
    return this.#link.send('load', () => this.#database.transact(async () => ({ answer: this.#snapshot(document) })));
  }

  entries(document: DocumentId, from: Seq, bytesMax: number): Promise<readonly LoggedEntry[] | 'trimmed'> {
    return this.#link.send('entries', () =>
      this.#database.transact(async () => ({ answer: this.#range(document, from, bytesMax) })),
    );
  }

  async checkpoint(owner: string, step: CheckpointStep): Promise<'done' | 'fenced' | 'failed'> {
    const sent = JSON.parse(JSON.stringify(step)) as CheckpointStep;
    try {
      return await this.#link.send('checkpoint', () =>
        this.#database.transact(async (lock) => {
          const fence = await this.fence(owner, [sent], lock);
          if (!fence.has(sent.slot)) return { answer: 'fenced' as const };
          return { answer: 'done' as const, write: () => this.#fold(sent) };
        }),
      );
    } catch (error) {
      if (error instanceof StatementFailed) return 'failed';
      throw error;
    }
  }

  /** Locks the slot rows where owner and epoch are as given, in slot order, and gives those where they still are. */
  protected async fence(owner: string, tenures: readonly Tenure[], lock: LockRows): Promise<ReadonlySet<Slot>> {
    const { slots } = this.#database;
    const holds = ({ slot, epoch }: Tenure): boolean => slots[slot]?.owner === owner && slots[slot]?.epoch === epoch;
    const seen = tenures.filter(holds);
    const rows = [...new Set(seen.map(({ slot }) => slot))].sort((a, b) => a - b);
    await lock(rows.map((slot) => `slot ${slot}`));
    return new Set(seen.filter(holds).map(({ slot }) => slot));
  }

  #store(batch: Omit<Batch, 'entries'> & { readonly entries: readonly string[] }): void {
    const tables = this.#tables(batch.document, batch.slot);
    const toSeq = (batch.head + batch.entries.length) as Seq;
    tables.batches.push({ seq: (batch.head + 1) as Seq, toSeq, epoch: batch.epoch, entries: batch.entries });
    tables.head = toSeq;
  }

  #fold(step: CheckpointStep): void {
    const tables = this.#tables(step.document, step.slot);
    // A step that was given up and repeated may arrive after its successors: it must move nothing back.
    for (const row of step.upserts) {
      const present = Math.max(tables.records.get(row.key)?.seq ?? 0, tables.checkpoint);
      if (row.seq > present) tables.records.set(row.key, row);
    }
    for (const { key, seq } of step.deletes) {
      if ((tables.records.get(key)?.seq ?? Infinity) <= seq) tables.records.delete(key);
    }
    if (step.advance === undefined || step.advance.checkpoint < tables.checkpoint) return;
    tables.checkpoint = step.advance.checkpoint;
    tables.forgottenTo = step.advance.forgottenTo;
    for (const mark of step.advance.marks) {
      if ((tables.marks.get(markKey(mark))?.seq ?? 0) < mark.seq) tables.marks.set(markKey(mark), mark);
    }
    for (const forgotten of step.advance.forgotten) tables.marks.delete(markKey(forgotten));
  }

  #snapshot(document: DocumentId): LoadedDocument {
    const tables = this.#database.documents.get(document);
    if (tables === undefined) {
      const none = 0 as Seq;
      return { head: none, checkpoint: none, forgottenTo: none, records: [], marks: [], tail: [] };
    }
    const { head, checkpoint, forgottenTo, batches } = tables;
    const tail = batches.flatMap(({ entries }) => readEntries(entries)).filter(({ seq }) => seq > checkpoint);
    return structuredClone({
      head,
      checkpoint,
      forgottenTo,
      records: [...tables.records.values()],
      marks: [...tables.marks.values()],
      tail,
    });
  }

  #range(document: DocumentId, from: Seq, bytesMax: number): readonly LoggedEntry[] | 'trimmed' {
    const tables = this.#database.documents.get(document);
    if (tables === undefined || from > tables.head) return [];
    if (from < (tables.batches[0]?.seq ?? Infinity)) return 'trimmed';
    const found: LoggedEntry[] = [];
    let bytes = 0;
    for (const batch of tables.batches) {
      if (batch.toSeq < from) continue;
      for (const [index, text] of batch.entries.entries()) {
        if (batch.seq + index < from) continue;
        bytes += text.length;
        if (found.length > 0 && bytes > bytesMax) return found;
        found.push(JSON.parse(text) as LoggedEntry);
      }
    }
    return found;
  }

  #tables(document: DocumentId, slot: Slot): DocumentTables {
    let tables = this.#database.documents.get(document);
    if (tables === undefined) {
      const none = 0 as Seq;
      tables = {
        slot,
        head: none,
        checkpoint: none,
        forgottenTo: none,
        batches: [],
        records: new Map(),
        marks: new Map(),
      };
      this.#database.documents.set(document, tables);
    }
    return tables;
  }
}

function markKey(mark: { readonly user: string; readonly session: string }): string {
  return JSON.stringify([mark.user, mark.session]);
}
