/**
 * A document as one reader knows it: a snapshot, if there was one, and the entries after it, folded with the
 * `applyOp` of the protocol. Clients keep one to follow a document; the checker keeps one to say what a state had to be.
 */
import { applyOp, stateHash, type Entry, type Json, type RecordStates, type Seq } from '@homeport/protocol';

interface CopiedRecord {
  readonly value: Json;
  readonly seq: Seq;
  /** What `applyOp` wants to know to keep sizes; they do not matter here. */
  readonly bytes: number;
}

export class DocumentCopy {
  readonly #records = new Map<string, CopiedRecord>();
  #seq = 0 as Seq;
  /** Up to which seq a snapshot is known to reach in some of its records: before that the copy mixes two states. */
  #aheadTo = 0 as Seq;

  get seq(): Seq {
    return this.#seq;
  }

  get(key: string): { readonly value: Json; readonly seq: Seq } | undefined {
    return this.#records.get(key);
  }

  reset(): void {
    this.#records.clear();
    this.#seq = 0 as Seq;
    this.#aheadTo = 0 as Seq;
  }

  /** A page of a snapshot. A later page may be younger than the snapshot's position. */
  install(page: RecordStates): void {
    for (const [key, { value, seq }] of Object.entries(page)) {
      if (seq > this.#aheadTo) this.#aheadTo = seq;
      const before = this.#records.get(key);
      if (before === undefined || seq > before.seq) this.#records.set(key, { value, seq, bytes: 0 });
    }
  }

  /**
   * All pages of a snapshot are in: the copy stands at the snapshot's position. `aheadTo`: the last of the frames that
   * came before the last page, which does not show a record that they delete.
   */
  standAt(seq: Seq, aheadTo = 0 as Seq): void {
    this.#seq = seq;
    this.#aheadTo = Math.max(this.#aheadTo, aheadTo) as Seq;
  }

  /** Takes the next entry. Throws when it is not the next, or when its ops do not fit the records. */
  apply(entry: Entry): void {
    if (entry.seq !== this.#seq + 1) throw new Error(`entry ${entry.seq} does not follow ${this.#seq}`);
    const touched = new Set<string>();
    for (const op of entry.ops) {
      const before = this.#records.get(op.key);
      // A record that the snapshot brought from later on already contains this entry.
      if (before !== undefined && before.seq >= entry.seq && !touched.has(op.key)) continue;
      const applied = applyOp(before, op);
      if (!applied.ok) throw new Error(`entry ${entry.seq} can not be applied: ${applied.why}`);
      if (applied.value === undefined) this.#records.delete(op.key);
      else this.#records.set(op.key, { value: applied.value, seq: entry.seq, bytes: 0 });
      touched.add(op.key);
    }
    this.#seq = entry.seq;
  }

  /** The hash of the state at `seq`; undefined while some records are ahead of it. */
  hash(): string | undefined {
    return this.#seq >= this.#aheadTo ? stateHash(this.#records) : undefined;
  }
}
