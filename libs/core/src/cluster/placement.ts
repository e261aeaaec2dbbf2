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

/** A node while the slots are shared out. */
interface Share extends Candidate {
  /** Of its name: made once, for it is asked for with every slot. */
  readonly hash: number;
  readonly owned: Slot[];
  /** How many slots it can still be given. */
  room: number;
}

/** The id of the node that should own each slot. `ownerOf`: who owns it now. At least one candidate. */
export function placement(
  candidates: readonly Candidate[],
  ownerOf: (slot: Slot) => string | undefined,
): readonly string[] {
  const shares = candidates
    .map(({ id, name }): Share => ({ id, name, hash: hashOf(name), owned: [], room: 0 }))
    .sort((one, other) => compare(one.name, other.name) || compare(one.id, other.id));
  const byId = new Map(shares.map((share) => [share.id, share]));
  const homeless: Slot[] = [];
  for (let slot = 0; slot < SLOTS; slot++)
    (byId.get(ownerOf(slot as Slot) ?? '')?.owned ?? homeless).push(slot as Slot);

  // Fair shares differ by one at most. Who has the larger one already keeps it.
  const byCount = [...shares].sort((one, other) => other.owned.length - one.owned.length);
  byCount.forEach((share, rank) => (share.room = Math.floor((SLOTS + shares.length - 1 - rank) / shares.length)));

  const wish = Array.from<string>({ length: SLOTS });
  for (const share of shares) {
    const mine = share.owned.sort((one, other) => weightOf(share, other) - weightOf(share, one) || one - other);
    const kept = mine.slice(0, share.room);
    for (const slot of kept) wish[slot] = share.id;
    homeless.push(...mine.slice(kept.length));
    share.room -= kept.length;
  }
  for (const slot of homeless.sort((one, other) => one - other)) {
    const taker = best(shares, slot);
    taker.room--;
    wish[slot] = taker.id;
  }
  return wish;
}

function best(shares: readonly Share[], slot: Slot): Share {
  let found: Share | undefined;
  for (const share of shares)
    if (share.room > 0 && (found === undefined || weightOf(share, slot) > weightOf(found, slot))) found = share;
  if (found === undefined) throw new Error('the shares do not add up to all slots');
  return found;
}

/** FNV-1a over the name, then the slot, then mixed: neighbouring slots must not look alike. */
function weightOf({ hash }: Share, slot: Slot): number {
  let mixed = Math.imul(hash ^ slot, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
