/**
 * What a board shows: the confirmed state of the document with the pending pushes on top.
 *
 * Entries change the confirmed state, pushes only what is shown. A push is all or nothing here too: while one of its
 * ops would be refused on what is there now, none of it shows. `rebase` works the pending pushes out anew after every
 * change below them; the records that nobody touches are never copied, so its cost follows what is pending.
 */
import {
  applyOp,
  holds,
  jsonBytes,
  type Entry,
  type Json,
  type Op,
  type RecordState,
  type Seq,
  type SessionId,
  type Stored,
} from '@homeport/protocol';

const NOWHERE = 0 as Seq;

class ShownRecord implements Stored {
  readonly value: Json;
  readonly seq: Seq;
  readonly writer: SessionId;
  readonly othersSeq: Seq;
  #bytes: number | undefined;

  constructor(value: Json, seq: Seq, writer: SessionId, othersSeq: Seq, bytes?: number) {
    this.value = value;
    this.seq = seq;
    this.writer = writer;
    this.othersSeq = othersSeq;
    this.#bytes = bytes;
  }

  /** Measured when it is first asked for: most records of a snapshot are never written here. */
  get bytes(): number {
    return (this.#bytes ??= jsonBytes(this.value));
  }
}

type Overlay = Map<string, Stored | undefined>;

export class View {
  #confirmed = new Map<string, Stored>();
  #shown = new Map<string, Stored>();
  /** The keys that pending pushes touch. Of all others, `#shown` holds what `#confirmed` holds. */
  #covered = new Set<string>();
  #records: RecordWindow | undefined;
  readonly #session: () => SessionId;

  constructor(session: () => SessionId) {
    this.#session = session;
  }

  /** The same object until something changed. */
  records(): ReadonlyMap<string, RecordState> {
    return (this.#records ??= new RecordWindow(this.#shown));
  }

  /** Another confirmed state. `rebase` must follow. */
  reset(records: ReadonlyMap<string, RecordState>): void {
    this.#confirmed = new Map();
    for (const [key, { value, seq }] of records) this.#confirmed.set(key, new ShownRecord(value, seq, '', seq));
  }

  /**
   * Adds an entry to the confirmed state and its keys to `touched`. Records that are younger than the entry have it
   * in them already. False: an accepted entry does not fit, so this copy is not what the owner has. `rebase` must follow.
   */
  applyEntry(entry: Entry, touched: Set<string>): boolean {
    const changed = new Set<string>();
    for (const op of entry.ops) {
      const current = this.#confirmed.get(op.key);
      if (current !== undefined && current.seq >= entry.seq && !changed.has(op.key)) continue;
      const applied = applyOp(current, op);
      if (!applied.ok) return false;
      changed.add(op.key);
      touched.add(op.key);
      if (applied.value === undefined) this.#confirmed.delete(op.key);
      else {
        const others = othersSeq(current, entry.session);
        this.#confirmed.set(op.key, new ShownRecord(applied.value, entry.seq, entry.session, others, applied.bytes));
      }
    }
    return true;
  }

  /** Why the push would be refused on what is shown, and how big its largest record would be. */
  foresee(ops: readonly Op[]): { readonly refused: string | undefined; readonly recordBytes: number } {
    const outcome = this.#outcome(ops, (key) => this.#shown.get(key));
    if (typeof outcome === 'string') return { refused: outcome, recordBytes: 0 };
    let recordBytes = 0;
    for (const record of outcome.values()) if (record !== undefined) recordBytes = Math.max(recordBytes, record.bytes);
    return { refused: undefined, recordBytes };
  }

  /** Shows one push more on top of those that show already. Answers which keys changed. */
  cover(ops: readonly Op[]): Set<string> {
    const outcome = this.#outcome(ops, (key) => this.#shown.get(key));
    const changed = new Set<string>();
    if (typeof outcome === 'string') return changed;
    for (const [key, record] of outcome) {
      this.#covered.add(key);
      if (this.#show(key, record)) changed.add(key);
    }
    this.#noteChange(changed);
    return changed;
  }

  /** Works out what is shown after the confirmed state changed at `touched`, or the pushes did. */
  rebase(pushes: Iterable<readonly Op[]>, touched: Iterable<string> | 'all'): Set<string> {
    const overlay: Overlay = new Map();
    const under = (key: string): Stored | undefined => (overlay.has(key) ? overlay.get(key) : this.#confirmed.get(key));
    for (const ops of pushes) {
      const outcome = this.#outcome(ops, under);
      if (typeof outcome !== 'string') for (const [key, record] of outcome) overlay.set(key, record);
    }
    const keys = new Set(touched === 'all' ? [...this.#shown.keys(), ...this.#confirmed.keys()] : touched);
    for (const key of this.#covered) keys.add(key);
    for (const key of overlay.keys()) keys.add(key);
    this.#covered = new Set(overlay.keys());
    const changed = new Set<string>();
    for (const key of keys) if (this.#show(key, under(key))) changed.add(key);
    this.#noteChange(changed);
    return changed;
  }

  #show(key: string, record: Stored | undefined): boolean {
    const before = this.#shown.get(key);
    if (record === before) return false;
    if (record === undefined) return this.#shown.delete(key);
    if (before !== undefined && sameJson(before.value, record.value)) {
      // Keep the old value: who compares by identity sees no change where there is none.
      this.#shown.set(key, new ShownRecord(before.value, record.seq, record.writer, record.othersSeq));
      return before.seq !== record.seq;
    }
    this.#shown.set(key, record);
    return true;
  }

  #noteChange(changed: ReadonlySet<string>): void {
    if (changed.size > 0) this.#records = undefined;
  }

  /** What `ops` make of the records they touch, or why they are refused. Later ops see what earlier ones did. */
  #outcome(ops: readonly Op[], under: (key: string) => Stored | undefined): Overlay | string {
    const session = this.#session();
    const outcome: Overlay = new Map();
    for (const op of ops) {
      const current = outcome.has(op.key) ? outcome.get(op.key) : under(op.key);
      if (op.if !== undefined && !holds(op.if, current, session)) return `the condition on ${op.key} does not hold`;
      const applied = applyOp(current, op);
      if (!applied.ok) return applied.why;
      const { value, bytes } = applied;
      // Which seq it will get is not known yet: it keeps the one it had.
      const [seq, others] = [current?.seq ?? NOWHERE, othersSeq(current, session)];
      outcome.set(op.key, value === undefined ? undefined : new ShownRecord(value, seq, session, others, bytes));
    }
    return outcome;
  }
}

/** The last change by any other session than `writer`, who writes next. */
function othersSeq(current: Stored | undefined, writer: SessionId): Seq {
  if (current === undefined) return NOWHERE;
  return current.writer === writer ? current.othersSeq : current.seq;
}

/** A window on a map that goes on changing: a new one for every version, without a copy of what is in it. */
class RecordWindow implements ReadonlyMap<string, RecordState> {
  readonly #map: ReadonlyMap<string, RecordState>;

  constructor(map: ReadonlyMap<string, RecordState>) {
    this.#map = map;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: string): RecordState | undefined {
    return this.#map.get(key);
  }

  has(key: string): boolean {
    return this.#map.has(key);
  }

  forEach(visit: (record: RecordState, key: string, map: ReadonlyMap<string, RecordState>) => void): void {
    for (const [key, record] of this.#map) visit(record, key, this);
  }

  keys(): MapIterator<string> {
    return this.#map.keys();
  }

  values(): MapIterator<RecordState> {
    return this.#map.values();
  }

  entries(): MapIterator<[string, RecordState]> {
    return this.#map.entries();
  }

  [Symbol.iterator](): MapIterator<[string, RecordState]> {
    return this.#map.entries();
  }
}

export function sameJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item: Json, index) => sameJson(item, b[index] as Json));
  }
  const [left, right] = [a as { readonly [field: string]: Json }, b as { readonly [field: string]: Json }];
  const fields = Object.keys(left);
  if (fields.length !== Object.keys(right).length) return false;
  return fields.every((field) => Object.hasOwn(right, field) && sameJson(left[field]!, right[field]!));
}
