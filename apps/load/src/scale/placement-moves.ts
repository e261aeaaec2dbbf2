/** Placement alone, where a cluster of that size would take too long to simulate: what moves when nodes come and go. */
import { placement, SLOTS, type Candidate, type Slot } from '@homeport/core';
import type { SeededRandom } from '@homeport/testkit';

export interface PlacementMoves {
  readonly nodes: number;
  readonly fairShare: number;
  /** Slots that change their owner when one node comes, goes, and when a tenth of them dies. */
  readonly joined: number;
  readonly left: number;
  readonly crashed: number;
  /** Of them, those that the dead had. */
  readonly orphaned: number;
  /** To compute one wish, for the join: real time. */
  readonly tookMs: number;
}

export function placementMoves(nodes: number, random: SeededRandom): PlacementMoves {
  const all = Array.from({ length: nodes }, (_, n): Candidate => ({ id: `node-${n}.1`, name: `node-${n}` }));
  const before = placement(all, () => undefined);
  const ownerOf = (slot: Slot) => before[slot];
  const moved = (candidates: readonly Candidate[]): number => {
    const wish = placement(candidates, ownerOf);
    return before.filter((owner, slot) => wish[slot] !== owner).length;
  };
  const startMs = performance.now();
  const joined = moved([...all, { id: 'late.1', name: 'late' }]);
  const tookMs = performance.now() - startMs;
  const gone = random.int(nodes);
  const dead = new Set(Array.from({ length: Math.ceil(nodes / 10) }, (_, n) => all[(gone + n * 7) % nodes]!.id));
  return {
    nodes,
    fairShare: Math.ceil(SLOTS / nodes),
    joined,
    left: moved(all.filter((_, n) => n !== gone)),
    crashed: moved(all.filter(({ id }) => !dead.has(id))),
    orphaned: before.filter((owner) => dead.has(owner)).length,
    tookMs,
  };
}
