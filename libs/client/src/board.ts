import type { Condition, Json, JsonObject, Op, Position, Seq } from '@homeport/protocol';
import type { Cancel } from './clock.js';
import type { ClientDocument } from './client-document.js';
import type { Committed } from './commit.js';
import type { Presence } from './presence.js';
import type {
  AnyRecords,
  ArrayFieldOf,
  Change,
  FieldOf,
  FieldsOf,
  ItemOf,
  KeyOf,
  NumberFieldOf,
  PresenceFields,
  RecordOf,
  WriteCondition,
  WriteOptions,
} from './record-types.js';
import type { AckSample, BoardStatus } from './status.js';

/** What `push(tx => …)` offers: the ops of one push, accepted or refused together. */
export interface Transaction<Records = AnyRecords> {
  put<Key extends KeyOf<Records>>(key: Key, value: Records[Key], options?: WriteOptions): void;
  patch<Key extends KeyOf<Records>>(
    key: Key,
    set: FieldsOf<Records[Key]>,
    options?: WriteOptions & { readonly unset?: readonly FieldOf<Records[Key]>[] },
  ): void;
  delete(key: KeyOf<Records>, options?: WriteOptions): void;
  increment<Key extends KeyOf<Records>>(
    key: Key,
    field: NumberFieldOf<Records[Key]>,
    by?: number,
    options?: WriteOptions,
  ): void;
  append<Key extends KeyOf<Records>, Field extends ArrayFieldOf<Records[Key]>>(
    key: Key,
    field: Field,
    values: readonly ItemOf<Records[Key], Field>[],
    options?: WriteOptions,
  ): void;
}

/**
 * An open document, as an application uses it. Reads are synchronous and local: the confirmed state with one's own
 * pending writes on top. Writes show at once; their promise resolves when they are committed.
 *
 * Values are copied when written, and values that were read are never changed in place.
 */
export class Board<Records = AnyRecords, State extends PresenceFields = PresenceFields> {
  readonly #document: ClientDocument;

  constructor(document: ClientDocument) {
    this.#document = document;
  }

  get id(): string {
    return this.#document.id;
  }

  get<Key extends KeyOf<Records>>(key: Key): Records[Key] | undefined {
    return this.#document.records().get(key)?.value as Records[Key] | undefined;
  }

  /**
   * All records. The same object until something changed, so it fits `useSyncExternalStore`; it is a window on the
   * present, not a copy: an older one shows what is there now.
   */
  records(): ReadonlyMap<KeyOf<Records>, RecordOf<Records[KeyOf<Records>]>> {
    return this.#document.records() as unknown as ReadonlyMap<KeyOf<Records>, RecordOf<Records[KeyOf<Records>]>>;
  }

  put<Key extends KeyOf<Records>>(key: Key, value: Records[Key], options?: WriteOptions): Promise<Committed> {
    return this.#write((tx) => tx.put(key, value, options));
  }

  patch<Key extends KeyOf<Records>>(
    key: Key,
    set: FieldsOf<Records[Key]>,
    options?: WriteOptions & { readonly unset?: readonly FieldOf<Records[Key]>[] },
  ): Promise<Committed> {
    return this.#write((tx) => tx.patch(key, set, options));
  }

  delete(key: KeyOf<Records>, options?: WriteOptions): Promise<Committed> {
    return this.#write((tx) => tx.delete(key, options));
  }

  increment<Key extends KeyOf<Records>>(
    key: Key,
    field: NumberFieldOf<Records[Key]>,
    by = 1,
    options?: WriteOptions,
  ): Promise<Committed> {
    return this.#write((tx) => tx.increment(key, field, by, options));
  }

  append<Key extends KeyOf<Records>, Field extends ArrayFieldOf<Records[Key]>>(
    key: Key,
    field: Field,
    values: readonly ItemOf<Records[Key], Field>[],
    options?: WriteOptions,
  ): Promise<Committed> {
    return this.#write((tx) => tx.append(key, field, values, options));
  }

  /** All or nothing, and never merged with other writes. `compose` runs at once, and only once. */
  push(compose: (tx: Transaction<Records>) => void): Promise<Committed> {
    const ops = new OpList<Records>();
    compose(ops);
    return this.#document.write(ops.ops, 'whole');
  }

  subscribe(listener: (change: Change<KeyOf<Records>>) => void): Cancel {
    return this.#document.changes.add(listener as (change: Change) => void);
  }

  get presence(): Presence<State> {
    return this.#document.presence as unknown as Presence<State>;
  }

  get status(): BoardStatus {
    return this.#document.status;
  }

  subscribeStatus(listener: (status: BoardStatus) => void): Cancel {
    return this.#document.statusChanges.add(listener);
  }

  /** The latest acknowledgement latencies, oldest first, at most 120. The same array until there is a new one. */
  get ackSamples(): readonly AckSample[] {
    return this.#document.ackSamples;
  }

  /** What a read elsewhere must demand to see what is shown here. */
  get position(): Position | undefined {
    return this.#document.status.position;
  }

  /** Resolves when everything written before this call is committed; rejects if some of it was refused. */
  flush(): Promise<void> {
    return this.#document.flush();
  }

  /** Leaves the document. Writes that are still pending are given up: `await flush()` first to keep them. */
  close(): void {
    this.#document.close();
  }

  #write(compose: (tx: Transaction<Records>) => void): Promise<Committed> {
    const ops = new OpList<Records>();
    compose(ops);
    const conditional = ops.ops.some((op) => op.if !== undefined);
    return this.#document.write(ops.ops, conditional ? 'whole' : 'mergeable');
  }
}

class OpList<Records> implements Transaction<Records> {
  readonly ops: Op[] = [];

  put(key: string, value: unknown, options?: WriteOptions): void {
    this.ops.push({ op: 'put', key, value: value as Json, ...when(options) });
  }

  patch(key: string, set: unknown, options?: WriteOptions & { readonly unset?: readonly string[] }): void {
    this.ops.push({ op: 'patch', key, set: set as JsonObject, unset: options?.unset ?? [], ...when(options) });
  }

  delete(key: string, options?: WriteOptions): void {
    this.ops.push({ op: 'delete', key, ...when(options) });
  }

  increment(key: string, field: string, by = 1, options?: WriteOptions): void {
    this.ops.push({ op: 'increment', key, field, by, ...when(options) });
  }

  append(key: string, field: string, values: readonly unknown[], options?: WriteOptions): void {
    this.ops.push({ op: 'append', key, field, values: values as readonly Json[], ...when(options) });
  }
}

function when(options: WriteOptions | undefined): { readonly if?: Condition } {
  const condition: WriteCondition | undefined = options?.if;
  if (condition === undefined) return {};
  return { if: 'seq' in condition ? { seq: condition.seq as Seq } : condition };
}
