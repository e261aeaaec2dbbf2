/** Judges a push, whole: what it makes of each key, or why it is refused. Pure; changes nothing. */
import { LIMITS, applyOp, holds, refuse, type Op, type Refusal, type Seq, type Stored } from '@homeport/protocol';
import { written, type Change, type View } from './records.js';

export type Evaluated = { readonly ok: true; readonly changes: readonly Change[] } | Refusal;

/** Ops see the effects of those before them. `seq` is the place the push would get, `writer` the session's key. */
export function evaluate(ops: readonly Op[], writer: string, seq: Seq, view: View): Evaluated {
  const changes: Change[] = [];
  let count = view.count;
  let bytes = view.bytes;
  for (const op of ops) {
    // Most pushes have one op, and no key twice: a look through the few changes costs less than a map of them.
    const earlier = changes.findIndex(({ key }) => key === op.key);
    const before = earlier < 0 ? view.get(op.key) : changes[earlier]!.record;
    if (op.if !== undefined && !holds(op.if, before, writer))
      return refuse.conflict(op.key, before?.value ?? null, `the condition on ${op.key} does not hold`);
    const applied = applyOp(before, op);
    if (!applied.ok) return refuse.conflict(op.key, before?.value ?? null, applied.why);
    if (applied.value === undefined && before === undefined) continue;
    if (applied.bytes > LIMITS.recordBytes)
      return refuse.tooLarge('recordBytes', `the record ${op.key} would be larger than ${LIMITS.recordBytes} bytes`);
    const record = applied.value === undefined ? undefined : written(applied.value, applied.bytes, seq, writer, before);
    if (earlier < 0) changes.push({ key: op.key, record });
    else changes[earlier] = { key: op.key, record };
    count += Number(record !== undefined) - Number(before !== undefined);
    bytes += (record?.bytes ?? 0) - (before?.bytes ?? 0);
  }
  if (count > LIMITS.recordsPerDocument && count > view.count)
    return refuse.tooLarge('recordsPerDocument', `a document holds at most ${LIMITS.recordsPerDocument} records`);
  if (bytes > LIMITS.documentBytes && bytes > view.bytes)
    return refuse.tooLarge('documentBytes', `a document holds at most ${LIMITS.documentBytes} bytes`);
  return { ok: true, changes };
}

/** What an entry of the log makes of the records: its conditions held when it was accepted, records ahead of it stay. */
export function changesOf(ops: readonly Op[], writer: string, seq: Seq, view: View): readonly Change[] {
  const changes = new Map<string, Change>();
  for (const op of ops) {
    const before: Stored | undefined = changes.has(op.key) ? changes.get(op.key)!.record : view.get(op.key);
    if (before !== undefined && before.seq >= seq && !changes.has(op.key)) continue;
    const applied = applyOp(before, op);
    if (!applied.ok) throw new Error(`the log holds an op that its record can not take: ${applied.why}`);
    if (applied.value === undefined && before === undefined) continue;
    const record = applied.value === undefined ? undefined : written(applied.value, applied.bytes, seq, writer, before);
    changes.set(op.key, { key: op.key, record });
  }
  return [...changes.values()];
}
