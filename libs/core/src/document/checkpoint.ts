/**
 * Folding the log into the records table. What a checkpoint costs follows what changed since the last one, not how big
 * the document is: each document keeps the set of keys that changed, and the checkpoint stores those, as they stand, in
 * bounded steps. The last step moves the document's `checkpoint` forward and stores the session marks. A crash in
 * between leaves records ahead of `checkpoint`; loading skips entries that a record is already ahead of.
 */
import type { Seq, SessionId, UserId } from '@homeport/protocol';
import type { CheckpointStep, RecordRow, SessionMarkRow } from './document-log.js';
import type { Change, Records } from './records.js';
import type { SessionMarks } from './session-marks.js';
import type { Tenure } from './slot.js';

/** A fenced statement of 500 records holds the slot row for about 13 ms; one of 10,000 for 220 to 300 ms. */
const STEP_RECORDS_MAX = 500;
const STEP_BYTES_MAX = 4 * 1024 * 1024;

export interface CheckpointPlan {
  readonly to: Seq;
  readonly upserts: readonly RecordRow[];
  readonly deletes: readonly { readonly key: string; readonly seq: Seq }[];
  readonly marks: readonly SessionMarkRow[];
  readonly forgotten: readonly { readonly user: UserId; readonly session: SessionId }[];
  readonly forgottenTo: Seq;
}

/** Remembers what a document owes to the records table: clean ── changed ──> due ── begin ──> running ── end ──> clean or due. */
export class CheckpointMarker {
  #checkpoint: Seq;
  #head: Seq;
  #running = false;
  /** Keys changed since the last plan, with the seq of their last change. */
  #changed = new Map<string, Seq>();

  constructor(checkpoint: Seq) {
    this.#checkpoint = checkpoint;
    this.#head = checkpoint;
  }

  get state(): 'clean' | 'due' | 'running' {
    if (this.#running) return 'running';
    return this.#head > this.#checkpoint ? 'due' : 'clean';
  }

  changed(changes: readonly Change[], seq: Seq): void {
    for (const { key } of changes) this.#changed.set(key, seq);
    this.#head = seq;
  }

  /** Entries that a load would have to replay. */
  debt(head: Seq): number {
    return head - this.#checkpoint;
  }

  begin(head: Seq, records: Records, marks: SessionMarks<unknown>, wallMs: number): CheckpointPlan {
    if (this.#running) throw new Error('one checkpoint of a document at a time');
    this.#running = true;
    const upserts = [];
    const deletes = [];
    for (const [key, seq] of this.#changed) {
      const record = records.get(key);
      if (record === undefined) deletes.push({ key, seq });
      else upserts.push({ key, ...record });
    }
    this.#changed = new Map();
    const forgotten = marks.forget(wallMs);
    const changedMarks = marks.changedSince(this.#checkpoint);
    return { to: head, upserts, deletes, marks: changedMarks, forgotten, forgottenTo: marks.forgottenTo };
  }

  end(plan: CheckpointPlan, done: boolean): void {
    this.#running = false;
    if (done) {
      this.#checkpoint = plan.to;
      return;
    }
    for (const { key, seq } of [...plan.upserts, ...plan.deletes])
      if (!this.#changed.has(key)) this.#changed.set(key, seq);
  }
}

/** The plan in statements of bounded size, in order; the last one advances. */
export function* checkpointSteps(document: string, tenure: Tenure, plan: CheckpointPlan): Generator<CheckpointStep> {
  let upserts: RecordRow[] = [];
  let bytes = 0;
  for (const row of plan.upserts) {
    if (upserts.length >= STEP_RECORDS_MAX || (upserts.length > 0 && bytes + row.bytes > STEP_BYTES_MAX)) {
      yield { ...tenure, document, upserts, deletes: [] };
      upserts = [];
      bytes = 0;
    }
    upserts.push(row);
    bytes += row.bytes;
  }
  let deletes = plan.deletes;
  while (upserts.length + deletes.length > STEP_RECORDS_MAX) {
    yield { ...tenure, document, upserts, deletes: deletes.slice(0, STEP_RECORDS_MAX - upserts.length) };
    deletes = deletes.slice(STEP_RECORDS_MAX - upserts.length);
    upserts = [];
  }
  const { to: checkpoint, forgottenTo, marks, forgotten } = plan;
  yield { ...tenure, document, upserts, deletes, advance: { checkpoint, forgottenTo, marks, forgotten } };
}
