/**
 * Rule 4: a read is linearizable. It shows at least everything that anybody had been told, an acknowledgement, a read or
 * a frame, before the read began. (That it shows nothing that was sent after it ended is rule 3, seen from the write.)
 *
 * It holds for every read that did not ask for a stale answer, wherever it was asked: a node that is not the owner asks
 * the owner.
 */
import { groupBy, type Evidence, type Violation } from '../evidence.js';
import { factsOf, knownBefore } from '../facts.js';
import type { Operation, ReadOperation } from '../operation.js';

export function checkLinearizable({ history }: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const [document, operations] of groupBy(history, (operation) => operation.document))
    for (const { asking: read, known } of knownBefore(operations.flatMap(factsOf), operations.filter(isRead)))
      if (read.seq < known.seq)
        violations.push({
          rule: 4,
          at: read.end,
          document,
          says:
            `${read.session} read ${read.seq} from ${read.node} in epoch ${read.epoch}, ` +
            `after ${known.what} of ${known.session} at ${known.seq}`,
        });
  return violations;
}

function isRead(operation: Operation): operation is ReadOperation {
  return operation.kind === 'read' && operation.stale === undefined;
}
