/**
 * Rule 3: the order of the log is the order of real time. The seq of a write is above that of everything in its document
 * that anybody had been told, an acknowledgement, a read or a frame, before the write was first sent.
 */
import { entriesOf, groupBy, pushKey, type Evidence, type Violation } from '../evidence.js';
import { factsOf, knownBefore } from '../facts.js';
import type { Operation } from '../operation.js';

interface Write {
  readonly start: number;
  readonly seq: number;
  readonly who: string;
}

export function checkRealTime({ history, log }: Evidence): Violation[] {
  const seqs = new Map<string, number>();
  for (const { document, entry } of entriesOf(log))
    seqs.set(pushKey(document, entry.user, entry.session, entry.opNo), entry.seq);

  const violations: Violation[] = [];
  for (const [document, operations] of groupBy(history, (operation) => operation.document))
    for (const { asking: write, known } of knownBefore(operations.flatMap(factsOf), writesOf(operations, seqs)))
      if (write.seq <= known.seq)
        violations.push({
          rule: 3,
          at: write.start,
          document,
          says: `${write.who} is at ${write.seq}, and was sent after ${known.what} of ${known.session} at ${known.seq}`,
        });
  return violations;
}

/** Which attempt had the effect is not known: the first stands for all of them. */
function writesOf(operations: readonly Operation[], seqs: ReadonlyMap<string, number>): Write[] {
  const writes = new Map<string, Write>();
  for (const operation of operations) {
    if (operation.kind !== 'push') continue;
    const { document, user, session, opNo, start } = operation;
    const key = pushKey(document, user, session, opNo);
    const seq = seqs.get(key);
    const before = writes.get(key);
    if (seq === undefined || (before && before.start <= start)) continue;
    writes.set(key, { start, seq, who: `push ${opNo} of ${session}` });
  }
  return [...writes.values()];
}
