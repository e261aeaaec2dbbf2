/**
 * The state of a document: records by key.
 *
 * `Records` is what is committed. `Speculation` is what would be, if everything that is pending were committed: the
 * pending changes over the committed records. Conditions are judged on the speculation, everything that is shown comes
 * from the records. Both hold immutable values, so a change moves from one to the other by reference.
 */
import type { Seq, Stored } from '@homeport/protocol';

/** What a push makes of one key. `record` undefined: it is deleted. */
export interface Change {
  readonly key: string;
  readonly record: Stored | undefined;
}

/** A state that a push can be judged on. */
export interface View {
  get(key: string): Stored | undefined;
  readonly count: number;
  readonly bytes: number;
}

export class Records implements View {
  readonly #byKey = new Map<string, Stored>();
  #bytes = 0;

  get count(): number {
    return this.#byKey.size;
  }

  /** Bytes of all values as JSON, and of their keys. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Stored | undefined {
    return this.#byKey.get(key);
  }

  install({ key, record }: Change): void {
    this.#bytes += weight(key, record) - weight(key, this.#byKey.get(key));
    if (record === undefined) this.#byKey.delete(key);
    else this.#byKey.set(key, record);
  }

  /** Live: it goes on past keys that are changed, added or deleted while somebody iterates. */
  [Symbol.iterator](): Iterator<[string, Stored]> {
    return this.#byKey.entries();
  }
}

export class Speculation implements View {
  readonly #records: Records;
  readonly #changes = new Map<string, Change>();
  #count = 0;
  #bytes = 0;

  constructor(records: Records) {
    this.#records = records;
  }

  get count(): number {
    return this.#records.count + this.#count;
  }

  get bytes(): number {
    return this.#records.bytes + this.#bytes;
  }

  get(key: string): Stored | undefined {
    const change = this.#changes.get(key);
    return change === undefined ? this.#records.get(key) : change.record;
  }

  add(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#account(change, this.get(change.key), 1);
      this.#changes.set(change.key, change);
    }
  }

  /** The changes were committed: the records get them. A key that a later push changed as well stays speculative. */
  commit(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#account(change, this.#records.get(change.key), -1);
      this.#records.install(change);
      if (this.#changes.get(change.key) === change) this.#changes.delete(change.key);
    }
  }

  /** Nothing is pending any more. */
  forget(): void {
    this.#changes.clear();
    this.#count = 0;
    this.#bytes = 0;
  }

  #account({ key, record }: Change, before: Stored | undefined, sign: 1 | -1): void {
    this.#count += sign * (Number(record !== undefined) - Number(before !== undefined));
    this.#bytes += sign * (weight(key, record) - weight(key, before));
  }
}

/** The record as it stands after `value` was written over `before`, at `seq`, by `writer`. */
export function written(
  value: Stored['value'],
  bytes: number,
  seq: Seq,
  writer: string,
  before: Stored | undefined,
): Stored {
  // A record that comes into being counts as changed by others: no version before it can be meant.
  const othersSeq = before === undefined ? seq : before.writer === writer ? before.othersSeq : before.seq;
  return { value, seq, bytes, writer, othersSeq };
}

function weight(key: string, record: Stored | undefined): number {
  return record === undefined ? 0 : key.length + record.bytes;
}
