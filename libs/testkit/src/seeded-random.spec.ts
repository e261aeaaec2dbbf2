import { describe, expect, it } from 'vitest';
import { SeededRandom } from './seeded-random.js';

describe('SeededRandom', () => {
  it('gives the same draws for the same seed, and others for another', () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 20 }, () => random.next());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('spreads evenly', () => {
    const random = new SeededRandom(1);
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 20_000; i++) buckets[random.int(10)]!++;
    for (const count of buckets) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });

  it('makes ids that differ', () => {
    const random = new SeededRandom(3);
    const ids = new Set(Array.from({ length: 1_000 }, () => random.id()));
    expect(ids.size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]{20}$/);
  });
});
