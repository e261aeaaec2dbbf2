/**
 * How what changed in the scene becomes pushes.
 *
 * Work by hand goes as single writes: those of one frame leave together, and while they wait they are merged with those
 * of the next, so a drag is cheap. What comes in bulk (a paste, a wiped board) goes as pushes of its own, each within
 * the limits of the server, and what hangs together (a shape, its text, its arrows) goes in the same one.
 */
import type { Board } from '@homeport/client';
import { isObject, jsonBytes, type Json, type JsonObject, type Limits, type Op } from '@homeport/protocol';

export interface Change {
  readonly id: string;
  readonly ops: readonly Op[];
  /** The element as it is now, or was before it was deleted: tells what it hangs together with. */
  readonly record: JsonObject;
}

export type Written = ReturnType<Board['push']>;
export type WritableDocument = Pick<Board, 'put' | 'patch' | 'append' | 'delete' | 'push'>;
export type PushLimits = Pick<Limits, 'opsPerPush' | 'messageBytes' | 'recordBytes'>;

/** The document, or a push in the making. */
interface Writer<Result> {
  put(key: string, value: Json): Result;
  patch(key: string, set: JsonObject, options: { readonly unset: readonly string[] }): Result;
  append(key: string, field: string, values: readonly Json[]): Result;
  delete(key: string): Result;
}

const BY_HAND_OPS_MAX = 100;

/** Writes all changes; each promise comes with the elements that it is about. */
export function write(
  document: WritableDocument,
  changes: readonly Change[],
  limits: PushLimits,
): { readonly ids: readonly string[]; readonly written: Written }[] {
  if (!isBulk(changes)) {
    return changes.flatMap(({ id, ops }) => ops.map((op) => ({ ids: [id], written: writeOne(document, op) })));
  }
  return split(changes, limits).map((part) => ({
    ids: part.map(({ id }) => id),
    written: document.push((tx) => part.forEach(({ ops }) => ops.forEach((op) => writeOne(tx, op)))),
  }));
}

/** A drag of a thousand shapes is by hand all the same: its patches must be able to merge. */
function isBulk(changes: readonly Change[]): boolean {
  let count = 0;
  for (const { ops } of changes) for (const { op } of ops) if (op === 'put' || op === 'delete') count++;
  return count > BY_HAND_OPS_MAX;
}

function writeOne<Result>(to: Writer<Result>, op: Op): Result {
  switch (op.op) {
    case 'put':
      return to.put(op.key, op.value);
    case 'patch':
      return to.patch(op.key, op.set, { unset: op.unset });
    case 'append':
      return to.append(op.key, op.field, op.values);
    case 'delete':
      return to.delete(op.key);
    case 'increment':
      throw new Error('the whiteboard counts nothing');
  }
}

/** Parts that fit into one push each, with room for what a message carries besides. */
export function split(changes: readonly Change[], limits: PushLimits): Change[][] {
  const parts: Change[][] = [];
  let part: Change[] = [];
  let [opCount, bytes] = [0, 0];
  const room = { ops: limits.opsPerPush, bytes: limits.messageBytes / 2 };
  const fits = (size: { ops: number; bytes: number }): boolean =>
    opCount + size.ops <= room.ops && bytes + size.bytes <= room.bytes;
  const add = (changed: readonly Change[], size: { ops: number; bytes: number }): void => {
    if (part.length > 0 && !fits(size)) {
      parts.push(part);
      [part, opCount, bytes] = [[], 0, 0];
    }
    part.push(...changed);
    opCount += size.ops;
    bytes += size.bytes;
  };
  for (const group of related(changes)) {
    const size = sizeOf(group);
    if (size.ops <= room.ops && size.bytes <= room.bytes) add(group, size);
    else for (const change of group) add([change], sizeOf([change]));
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

function sizeOf(changes: readonly Change[]): { ops: number; bytes: number } {
  const ops = changes.flatMap((change) => change.ops);
  return { ops: ops.length, bytes: ops.reduce((sum, op) => sum + jsonBytes({ ...op } as unknown as Json), 0) };
}

/** The changes in groups that hang together by arrows and texts, in their order of first appearance. */
function related(changes: readonly Change[]): Change[][] {
  const groupOf = new Map<string, Change[]>();
  for (const change of changes) groupOf.set(change.id, [change]);
  for (const { id, record } of changes) {
    for (const other of tiesOf(record)) {
      const [mine, theirs] = [groupOf.get(id)!, groupOf.get(other)];
      if (theirs === undefined || theirs === mine) continue;
      mine.push(...theirs);
      for (const change of theirs) groupOf.set(change.id, mine);
    }
  }
  return [...new Set(groupOf.values())];
}

function tiesOf(record: JsonObject): string[] {
  const bound = Array.isArray(record['boundElements']) ? (record['boundElements'] as readonly Json[]) : [];
  const ties = [...bound.map((tie) => idIn(tie, 'id')), record['containerId']];
  ties.push(idIn(record['startBinding'], 'elementId'), idIn(record['endBinding'], 'elementId'));
  return ties.filter((tie): tie is string => typeof tie === 'string');
}

function idIn(tie: Json | undefined, field: string): Json | undefined {
  return tie !== undefined && isObject(tie) ? tie[field] : undefined;
}
