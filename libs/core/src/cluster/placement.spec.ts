import { SeededRandom } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { SLOTS, type Slot } from '../document/slot.js';
import { placement, type Candidate } from './placement.js';

const nodes = (...names: string[]): Candidate[] => names.map((name) => ({ id: `${name}.1`, name }));
const range = (count: number): string[] => Array.from({ length: count }, (_, index) => `node-${index}`);
const nobody = (): undefined => undefined;
const after = (owners: readonly string[]) => (slot: Slot) => owners[slot];

function moved(before: readonly string[], now: readonly string[]): number {
  return before.filter((owner, slot) => now[slot] !== owner).length;
}

function shares(owners: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return [...counts.values()].sort((one, other) => one - other);
}

describe('placement', () => {
  it('gives every node its fair share, whatever the order in which the nodes are named', () => {
    for (const count of [1, 2, 3, 7, 64, 200]) {
      const all = nodes(...range(count));
      const wish = placement(all, nobody);
      expect(wish).toEqual(placement([...all].reverse(), nobody));
      expect(shares(wish).at(-1)! - shares(wish)[0]!).toBeLessThanOrEqual(1);
      expect(shares(wish)).toHaveLength(count);
    }
  });

  it('wishes for what is, where every share is fair', () => {
    const wish = placement(nodes(...range(5)), nobody);
    expect(placement(nodes(...range(5)), after(wish))).toEqual(wish);
  });

  it('O7: a join moves the share of the new node and nothing else, a leave what the node had and nothing else', () => {
    for (const count of [1, 2, 3, 4, 9, 50, 199]) {
      const before = placement(nodes(...range(count)), nobody);
      const joined = placement(nodes(...range(count + 1)), after(before));
      expect(moved(before, joined)).toBeLessThanOrEqual(Math.ceil(SLOTS / (count + 1)));
      expect(before.every((owner, slot) => joined[slot] === owner || joined[slot] === `node-${count}.1`)).toBe(true);
      const left = placement(nodes(...range(count)), after(joined));
      expect(moved(joined, left)).toBe(joined.filter((owner) => owner === `node-${count}.1`).length);
    }
  });

  it('O7: through any history of joins and leaves, no change moves more than a fair share', () => {
    const random = new SeededRandom(7);
    let living = range(3);
    let owners = placement(nodes(...living), nobody);
    for (let step = 0; step < 200; step++) {
      const isJoin = living.length < 2 || (living.length < 12 && random.chance(0.5));
      const fairBefore = Math.ceil(SLOTS / living.length);
      living = isJoin ? [...living, `late-${step}`] : living.filter((_, index) => index !== step % living.length);
      const now = placement(nodes(...living), after(owners));
      expect(moved(owners, now)).toBeLessThanOrEqual(isJoin ? Math.ceil(SLOTS / living.length) : fairBefore);
      owners = now;
    }
  });

  it('a node that comes back under its name, as another incarnation, is a new candidate for its share', () => {
    const before = placement(nodes('a', 'b', 'c'), nobody);
    const again = placement([...nodes('a', 'b'), { id: 'c.2', name: 'c' }], after(before));
    expect(again).toEqual(before.map((owner) => (owner === 'c.1' ? 'c.2' : owner)));
  });
});
