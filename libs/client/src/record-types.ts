/** How `open<Records>()` types keys and values: `Records` maps keys (template literals too) to what is stored there. */
import type { Condition, Json, JsonObject } from '@homeport/protocol';

export type AnyRecords = { readonly [key: string]: Json };
export type KeyOf<Records> = keyof Records & string;

/** The object among what a record may be: patches, increments and appends touch its fields. */
type ObjectOf<Value> = Value extends readonly unknown[] ? never : Value extends object ? Value : never;

export type FieldsOf<Value> = ObjectOf<Value> extends infer Fields ? Partial<Fields> : never;
export type FieldOf<Value> = ObjectOf<Value> extends infer Fields ? keyof Fields & string : never;
export type NumberFieldOf<Value> = FieldHolding<ObjectOf<Value>, number>;
export type ArrayFieldOf<Value> = FieldHolding<ObjectOf<Value>, readonly unknown[]>;
export type ItemOf<Value, Field> =
  ObjectOf<Value> extends infer Fields
    ? Field extends keyof Fields
      ? Extract<Fields[Field], readonly unknown[]>[number]
      : never
    : never;

type FieldHolding<Fields, Kind> = {
  [Field in keyof Fields & string]-?: Extract<Fields[Field], Kind> extends never ? never : Field;
}[keyof Fields & string];

export interface RecordOf<Value> {
  readonly value: Value;
  /** The seq that last changed the record; 0 while only a pending write has made it. */
  readonly seq: number;
}

/** As `Condition` of the wire, with a plain number for the seq. */
export type WriteCondition = Exclude<Condition, { seq: unknown }> | { readonly seq: number };

export interface WriteOptions {
  /** What must hold when the owner gets the write; else it is refused with `conflict`. */
  readonly if?: WriteCondition;
}

/**
 * - `local`   a write of this board was made
 * - `remote`  others changed the document
 * - `rebase`  an own write was confirmed, refused and rolled back, or shows differently on what others did
 * - `reset`   the whole document was loaded anew
 */
export type Origin = 'local' | 'remote' | 'rebase' | 'reset';

export interface Change<Key extends string = string> {
  readonly keys: ReadonlySet<Key>;
  readonly origin: Origin;
}

export type PresenceFields = JsonObject;
