/**
 * What an op does to a record. Owner and client share this one definition, so a client's optimistic view can not
 * differ from what the owner will make of the same push.
 *
 * Semantics are total: `patch`, `increment`, `append` and `delete` of an absent record change nothing and are accepted,
 * so that a late drag never revives half of a deleted shape (ask with `if: {exists: true}`). Values are never changed
 * in place: whoever holds one may keep it.
 */
import { jsonBytes } from './json.js';
import type { Condition, Op } from './messages.js';
import type { Json, JsonObject, Seq } from './terms.js';

/** The value under a key, and what is needed to judge it: its size, its version and who wrote it. */
export interface Stored {
  readonly value: Json;
  readonly seq: Seq;
  /** Bytes of the value as JSON. */
  readonly bytes: number;
  /** The session that wrote `seq`. */
  readonly writer: string;
  /** The last change by any other session: what `{seq}` is compared with when `writer` asks. 0 if there was none. */
  readonly othersSeq: Seq;
}

/** The new value and its size, or why the op is refused. `undefined` as a value: the key is absent. */
export type Applied =
  | { readonly ok: true; readonly value: Json | undefined; readonly bytes: number }
  | { readonly ok: false; readonly why: string };

export function applyOp(current: { value: Json; bytes: number } | undefined, op: Op): Applied {
  if (op.op === 'put') return { ok: true, value: op.value, bytes: jsonBytes(op.value) };
  if (current === undefined || op.op === 'delete') return { ok: true, value: undefined, bytes: 0 };
  if (!isObject(current.value)) return { ok: false, why: `the record is not an object, so it can not take a ${op.op}` };
  switch (op.op) {
    case 'patch':
      return patch(current.value, current.bytes, op);
    case 'increment': {
      const before = Object.hasOwn(current.value, op.field) ? current.value[op.field] : 0;
      if (typeof before !== 'number') return { ok: false, why: `field ${op.field} is not a number` };
      const sum = before + op.by;
      if (!Number.isFinite(sum)) return { ok: false, why: `field ${op.field} would leave the range of a number` };
      return withField(current.value, current.bytes, op.field, sum);
    }
    case 'append': {
      const before = Object.hasOwn(current.value, op.field) ? current.value[op.field]! : [];
      if (!Array.isArray(before)) return { ok: false, why: `field ${op.field} is not an array` };
      return appended(current.value, current.bytes, op.field, before, op.values);
    }
  }
}

/** Whether `condition` holds on the record as `session` would find it. */
export function holds(condition: Condition, record: Stored | undefined, session: string): boolean {
  if ('absent' in condition) return record === undefined;
  if (record === undefined) return false;
  if ('exists' in condition) return true;
  if (record.seq === condition.seq) return true;
  return record.writer === session && condition.seq < record.seq && record.othersSeq <= condition.seq;
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function patch(value: JsonObject, bytes: number, op: Extract<Op, { op: 'patch' }>): Applied {
  const next: Record<string, Json> = { ...value };
  let size = bytes;
  for (const field of Object.keys(op.set)) {
    size += fieldGrowth(next, field, op.set[field]!);
    next[field] = op.set[field]!;
  }
  for (const field of op.unset) {
    if (!Object.hasOwn(next, field)) continue;
    size -= fieldBytes(field, next[field]!, Object.keys(next).length === 1);
    delete next[field];
  }
  return { ok: true, value: next, bytes: size };
}

function withField(value: JsonObject, bytes: number, field: string, fieldValue: Json): Applied {
  return {
    ok: true,
    value: { ...value, [field]: fieldValue },
    bytes: bytes + fieldGrowth(value, field, fieldValue),
  };
}

/** The array is copied, its elements are not measured again: an append costs what it adds. */
function appended(
  value: JsonObject,
  bytes: number,
  field: string,
  before: readonly Json[],
  values: readonly Json[],
): Applied {
  const next = { ...value, [field]: before.concat(values) };
  if (!Object.hasOwn(value, field)) return { ok: true, value: next, bytes: bytes + fieldGrowth(value, field, values) };
  const brackets = 2;
  const comma = before.length > 0 && values.length > 0 ? 1 : 0;
  return { ok: true, value: next, bytes: bytes + jsonBytes(values) - brackets + comma };
}

function fieldGrowth(value: JsonObject, field: string, fieldValue: Json): number {
  if (Object.hasOwn(value, field)) return jsonBytes(fieldValue) - jsonBytes(value[field]!);
  return fieldBytes(field, fieldValue, Object.keys(value).length === 0);
}

/** `"field":value`, and the comma that parts it from the others. */
function fieldBytes(field: string, fieldValue: Json, alone: boolean): number {
  return jsonBytes(field) + 1 + jsonBytes(fieldValue) + (alone ? 0 : 1);
}
