/**
 * What the clients of the kill test write: all kinds of ops on a few records, with conditions that sometimes do not
 * hold, so that refusals, retries and effects that must not be counted twice all occur. Seeded.
 */
import type { Op } from '@homeport/protocol';
import type { SeededRandom } from '@homeport/testkit';
import type { DocumentCopy } from '../history/document-copy.js';

const SHAPES = 30;
const COUNTERS = 5;

export function nextPush(random: SeededRandom, copy: DocumentCopy): readonly Op[] {
  const ops = [nextOp(random, copy)];
  while (random.chance(0.2)) ops.push(nextOp(random, copy));
  return ops;
}

function nextOp(random: SeededRandom, copy: DocumentCopy): Op {
  const key = `shape:${random.int(SHAPES)}`;
  const x = random.int(1_000);
  const kind = random.next();
  if (kind < 0.3) return { op: 'patch', key, set: { x }, unset: [] };
  if (kind < 0.5) return { op: 'put', key, value: { x, points: [], n: 0 } };
  if (kind < 0.7) return { op: 'increment', key: `counter:${random.int(COUNTERS)}`, field: 'n', by: 1 };
  if (kind < 0.75) return { op: 'put', key: `counter:${random.int(COUNTERS)}`, value: { n: 0 }, if: { absent: true } };
  if (kind < 0.8) return { op: 'append', key, field: 'points', values: [x] };
  if (kind < 0.85) return { op: 'delete', key };
  if (kind < 0.95) return { op: 'patch', key, set: { x }, unset: ['points'], if: { exists: true } };
  const seen = copy.get(key);
  // The copy may be behind by now: others write the same record.
  return seen
    ? { op: 'put', key, value: { x, seen: seen.seq }, if: { seq: seen.seq } }
    : { op: 'put', key, value: { x }, if: { absent: true } };
}
