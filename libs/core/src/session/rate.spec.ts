import { FakeClock } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { Rate } from './rate.js';

describe('Rate', () => {
  it('L3: allows a second’s worth at once, then says when to ask again, and that is true', async () => {
    const clock = new FakeClock();
    const rate = new Rate(clock, 10);
    for (let n = 0; n < 10; n++) expect(rate.take()).toBe(0);
    const waitMs = rate.take();
    expect(waitMs).toBe(100);
    await clock.advance(waitMs - 1);
    expect(rate.take()).toBeGreaterThan(0);
    await clock.advance(1);
    expect(rate.take()).toBe(0);
    expect(rate.take()).toBeGreaterThan(0);
  });

  it('saves up no more than a second’s worth', async () => {
    const clock = new FakeClock();
    const rate = new Rate(clock, 5);
    await clock.advance(3_600_000);
    expect(Array.from({ length: 6 }, () => rate.take() === 0)).toEqual([true, true, true, true, true, false]);
  });

  it('L3: who keeps to the rate is never refused', async () => {
    const clock = new FakeClock();
    const rate = new Rate(clock, 60);
    for (let n = 0; n < 600; n++) {
      expect(rate.take()).toBe(0);
      await clock.advance(1_000 / 60);
    }
  });
});
