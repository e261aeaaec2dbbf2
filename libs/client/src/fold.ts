/**
 * Folding of unsent writes: the ops of one push, and one op more. What comes out does the same to any document as the
 * two after each other. A drag of a hundred patches offline is one patch; a stroke is one append for each of its fields.
 */
import { applyOp, isObject, jsonBytes, type Json, type Op } from '@homeport/protocol';

/** Ops that are not sent yet, with their size as JSON, about. Changed in place, for appends grow long. */
export interface Folding {
  readonly ops: Op[];
  bytes: number;
}

export function foldingOf(ops: readonly Op[]): Folding {
  return { ops: [...ops], bytes: ops.reduce((sum, op) => sum + opBytes(op), 0) };
}

/** Adds `op`, which must carry no condition, as none in `folding` does. */
export function fold(folding: Folding, op: Op): void {
  const { ops } = folding;
  if (op.op === 'put' || op.op === 'delete') {
    // Whatever happened to the record before, this is what it is now.
    for (let i = ops.length - 1; i >= 0; i--) if (ops[i]!.key === op.key) remove(folding, i);
    add(folding, op);
    return;
  }
  for (let at = ops.length - 1; at >= 0; at--) {
    const earlier = ops[at]!;
    if (earlier.key !== op.key) continue;
    const folded = together(earlier, op);
    if (folded !== undefined) {
      folding.bytes += grownBytes(earlier, op, folded);
      ops[at] = folded;
      return;
    }
    // Ops on different fields may change places: a pen stroke appends to two fields by turns.
    if (!areApart(earlier, op)) break;
  }
  add(folding, op);
}

/** Two ops on fields of one record that do the same in either order, to any record. */
function areApart(one: Op, other: Op): boolean {
  const fields = fieldsOf(one);
  return fields !== undefined && fieldsOf(other)?.every((field) => !fields.includes(field)) === true;
}

/** Undefined: it is about the record as a whole. */
function fieldsOf(op: Op): readonly string[] | undefined {
  switch (op.op) {
    case 'put':
    case 'delete':
      return undefined;
    case 'patch':
      return [...Object.keys(op.set), ...op.unset];
    case 'increment':
    case 'append':
      return [op.field];
  }
}

/** One op for two on the same record, or undefined where there is none. */
function together(earlier: Op, op: Exclude<Op, { op: 'put' | 'delete' }>): Op | undefined {
  if (earlier.op === 'delete') return earlier;
  if (earlier.op === 'put') {
    const applied = applyOp({ value: earlier.value, bytes: 0 }, op);
    return applied.ok && applied.value !== undefined ? { op: 'put', key: op.key, value: applied.value } : undefined;
  }
  if (earlier.op === 'patch' && op.op === 'patch') return patchTogether(earlier, op);
  if (earlier.op === 'increment' && op.op === 'increment' && earlier.field === op.field) {
    const by = earlier.by + op.by;
    return Number.isFinite(by) ? { ...earlier, by } : undefined;
  }
  if (earlier.op === 'append' && op.op === 'append' && earlier.field === op.field) {
    return { ...earlier, values: earlier.values.concat(op.values) };
  }
  return undefined;
}

type Patch = Extract<Op, { op: 'patch' }>;

function patchTogether(earlier: Patch, op: Patch): Patch {
  const set: Record<string, Json> = { ...earlier.set, ...op.set };
  for (const field of op.unset) delete set[field];
  const unset = new Set(earlier.unset);
  for (const field of Object.keys(op.set)) unset.delete(field);
  for (const field of op.unset) unset.add(field);
  return { op: 'patch', key: op.key, set, unset: [...unset] };
}

function add(folding: Folding, op: Op): void {
  folding.ops.push(op);
  folding.bytes += opBytes(op);
}

function remove(folding: Folding, index: number): void {
  const [op] = folding.ops.splice(index, 1);
  if (op !== undefined) folding.bytes -= opBytes(op);
}

/** Appends are measured by what they add: a long stroke is not walked again for every point. */
function grownBytes(earlier: Op, op: Op, folded: Op): number {
  if (folded.op === 'append' && op.op === 'append') return jsonBytes(op.values);
  return folded === earlier ? 0 : opBytes(folded) - opBytes(earlier);
}

function opBytes(op: Op): number {
  const json: Json = { ...op };
  return isObject(json) ? jsonBytes(json) : 0;
}
