import { describe, expect, it } from 'vitest';
import { SeededRandom } from '@homeport/testkit';
import { FAULTS } from './faults/all.js';
import { script } from './script.js';

const names = FAULTS.map(({ name }) => name);

function first(seed: number, rounds: number): string[] {
  const faults = script(new SeededRandom(seed), names);
  return Array.from({ length: rounds * names.length }, () => faults.next().value);
}

describe('the script of a run', () => {
  it('has every fault once before any comes again', () => {
    const played = first(3, 4);
    for (let round = 0; round < 4; round++) {
      const part = played.slice(round * names.length, (round + 1) * names.length);
      expect([...part].sort()).toEqual([...names].sort());
    }
    expect(played.slice(0, names.length)).not.toEqual(played.slice(names.length, 2 * names.length));
  });

  it('is the same for the same seed, and another for another', () => {
    expect(first(3, 2)).toEqual(first(3, 2));
    expect(first(3, 1)).not.toEqual(first(4, 1));
  });

  it('names each fault once', () => {
    expect(new Set(names).size).toBe(names.length);
  });
});
