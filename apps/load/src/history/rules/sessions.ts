/**
 * Rule 5: what a session sees never goes back. A request that began after the session had an answer from seq s (an
 * acknowledgement, a read, its own copy) is answered from s or later: one's own writes are read, and reads are monotonic.
 * The session's own copy never goes back either; it may stand behind an acknowledgement, whose frame is still to come.
 */
import { groupBy, sessionKey, type Evidence, type Violation } from '../evidence.js';
import { factsOf, knownBefore } from '../facts.js';
import type { CopyOperation, FinalOperation, Operation, ReadOperation } from '../operation.js';

export function checkSessions({ history }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const sessions = groupBy(history, ({ document, user, session }) => sessionKey(document, user, session));
  for (const operations of sessions.values()) {
    violations.push(...checkReads(operations), ...checkCopies(operations));
  }
  return violations;
}

function checkReads(operations: readonly Operation[]): Violation[] {
  return knownBefore(operations.flatMap(factsOf), operations.filter(isRead))
    .filter(({ asking, known }) => asking.seq < known.seq)
    .map(({ asking, known }) => ({
      rule: 5,
      at: asking.end,
      document: asking.document,
      says: `session ${asking.session} was answered from ${asking.seq} after ${known.what} of its own at ${known.seq}`,
    }));
}

function checkCopies(operations: readonly Operation[]): Violation[] {
  const violations: Violation[] = [];
  let last = 0;
  for (const copy of operations.filter(isCopy).sort((a, b) => a.end - b.end)) {
    if (copy.seq < last)
      violations.push({
        rule: 5,
        at: copy.end,
        document: copy.document,
        says: `the copy of session ${copy.session} went back from ${last} to ${copy.seq}`,
      });
    last = Math.max(last, copy.seq);
  }
  return violations;
}

/** Who asked for a stale answer may get one. */
function isRead(operation: Operation): operation is ReadOperation {
  return operation.kind === 'read' && operation.stale === undefined;
}

function isCopy(operation: Operation): operation is CopyOperation | FinalOperation {
  return operation.kind === 'copy' || operation.kind === 'final';
}
