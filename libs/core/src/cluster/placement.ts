/**
 * Which node should have which slot. A pure function of who is up and who has what: every node computes the same wish,
 * and a compare-and-set in the lease table settles it where two have different views for a moment.
 *
 * A node keeps what it has up to its fair share, so nothing moves without need: a node that joins gets its share, slot by
 * slot from those that have more than theirs, and a node that goes leaves its own only. Which slots move, and where to, is
 * decided by rendezvous hashing (Thaler, Ravishankar 1998) on the name of the node, which it keeps over restarts. Plain
 * rendezvous hashing gives shares that differ by their chance; with a bound on each share it moves slots between nodes
 * that neither joined nor went (decision 0005).
 */
import { SLOTS, type Slot } from '../document/slot.js';

export interface Candidate {
  readonly id: string;
  readonly name: string;
}

/** The id of the node that should own each slot. `ownerOf`: who owns it now. At least one candidate. */
export function placement(
  candidates: readonly Candidate[],
  ownerOf: (slot: Slot) => string | undefined,
): readonly string[] {
  const nodes = [...candidates].sort((one, other) => compare(one.name, other.name) || compare(one.id, other.id));
  const owned = new Map<string, Slot[]>(nodes.map(({ id }) => [id, []]));
  const homeless: Slot[] = [];
  for (let slot = 0; slot < SLOTS; slot++) (owned.get(ownerOf(slot as Slot) ?? '') ?? homeless).push(slot as Slot);

  // Fair shares differ by one at most. Who has the larger one already keeps it.
  const countOf = ({ id }: Candidate): number => owned.get(id)!.length;
  const byCount = [...nodes].sort((one, other) => countOf(other) - countOf(one));
  const room = new Map(
    byCount.map(({ id }, rank) => [id, Math.floor((SLOTS + nodes.length - 1 - rank) / nodes.length)]),
  );

  const wish = Array.from<string>({ length: SLOTS });
  for (const node of nodes) {
    const mine = owned.get(node.id)!.sort((one, other) => weightOf(node, other) - weightOf(node, one) || one - other);
    const kept = mine.slice(0, room.get(node.id));
    for (const slot of kept) wish[slot] = node.id;
    homeless.push(...mine.slice(kept.length));
    room.set(node.id, room.get(node.id)! - kept.length);
  }
  for (const slot of homeless.sort((one, other) => one - other)) {
    const taker = best(nodes, slot, ({ id }) => room.get(id)! > 0);
    room.set(taker.id, room.get(taker.id)! - 1);
    wish[slot] = taker.id;
  }
  return wish;
}

function best(nodes: readonly Candidate[], slot: Slot, fits: (node: Candidate) => boolean): Candidate {
  let found: Candidate | undefined;
  for (const node of nodes)
    if (fits(node) && (found === undefined || weightOf(node, slot) > weightOf(found, slot))) found = node;
  if (found === undefined) throw new Error('the shares do not add up to all slots');
  return found;
}

/** FNV-1a over the name, then the slot, then mixed: neighbouring slots must not look alike. */
function weightOf({ name }: Candidate, slot: Slot): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ slot, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
