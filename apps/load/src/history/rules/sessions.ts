/**
 * Rule 5: what a session sees never goes back. A request that began after the session had an answer from seq s (an
 * acknowledgement, a read, its own copy) is answered from s or later: one's own writes are read, and reads are monotonic.
 * The session's own copy never goes back either; it may stand behind an acknowledgement, whose frame is still to come.
 */
import type { Seq } from '@homeport/protocol';
import { groupBy, sessionKey, type Evidence, type Violation } from '../evidence.js';
import type { CopyOperation, FinalOperation, Operation, ReadOperation } from '../operation.js';

interface Fact {
  readonly knownAt: number;
  readonly seq: Seq;
  readonly what: string;
}

export function checkSessions({ history }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const sessions = groupBy(history, ({ document, user, session }) => sessionKey(document, user, session));
  for (const operations of sessions.values()) {
    violations.push(...checkReads(operations), ...checkCopies(operations));
  }
  return violations;
}

/** Two sorted lists and one pass: at each request, the highest seq known before it began. */
function checkReads(operations: readonly Operation[]): Violation[] {
  const violations: Violation[] = [];
  const facts = operations.flatMap(factsOf).sort((a, b) => a.knownAt - b.knownAt);
  const reads = operations.filter(isRead).sort((a, b) => a.start - b.start);
  let next = 0;
  let highest: Fact | undefined;
  for (const read of reads) {
    for (let fact = facts[next]; fact !== undefined && fact.knownAt < read.start; fact = facts[++next])
      if (highest === undefined || fact.seq > highest.seq) highest = fact;
    if (highest !== undefined && read.seq < highest.seq)
      violations.push({
        rule: 5,
        document: read.document,
        says: `session ${read.session} was answered from ${read.seq} after ${highest.what} at ${highest.seq}`,
      });
  }
  return violations;
}

function checkCopies(operations: readonly Operation[]): Violation[] {
  const violations: Violation[] = [];
  let last = 0;
  for (const copy of operations.filter(isCopy).sort((a, b) => a.end - b.end)) {
    if (copy.seq < last)
      violations.push({
        rule: 5,
        document: copy.document,
        says: `the copy of session ${copy.session} went back from ${last} to ${copy.seq}`,
      });
    last = Math.max(last, copy.seq);
  }
  return violations;
}

function factsOf(operation: Operation): Fact[] {
  switch (operation.kind) {
    case 'push':
      return operation.outcome === 'ok' ? [{ knownAt: operation.end, seq: operation.seq, what: 'its own push' }] : [];
    case 'read':
      return [{ knownAt: operation.end, seq: operation.seq, what: 'a read' }];
    case 'copy':
    case 'final':
      return [{ knownAt: operation.end, seq: operation.seq, what: 'its copy stood' }];
  }
}

function isRead(operation: Operation): operation is ReadOperation {
  return operation.kind === 'read';
}

function isCopy(operation: Operation): operation is CopyOperation | FinalOperation {
  return operation.kind === 'copy' || operation.kind === 'final';
}
