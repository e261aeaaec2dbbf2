import { FakeClock } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { KeyedRates } from './keyed-rates.js';

describe('KeyedRates', () => {
  it('L3: each key has a rate of its own, and is told when to come again', async () => {
    const clock = new FakeClock();
    const rates = new KeyedRates(clock, 2);
    expect([rates.take('ada'), rates.take('ada'), rates.take('ada')]).toEqual([0, 0, 500]);
    expect(rates.take('bob')).toBe(0);
    await clock.advance(500);
    expect([rates.take('ada'), rates.take('ada')]).toEqual([0, 500]);
  });

  it('L3: nobody is allowed more by waiting for the moment at which idle keys are forgotten', async () => {
    const clock = new FakeClock();
    const rates = new KeyedRates(clock, 10);
    let allowed = 0;
    for (let ms = 0; ms < 10_000; ms += 50) {
      if (rates.take('ada') === 0) allowed++;
      await clock.advance(50);
    }
    expect(allowed).toBe(10 + 10 * 10 - 1);
  });

  it('forgets who has not come for two seconds', async () => {
    const clock = new FakeClock();
    const rates = new KeyedRates(clock, 10);
    for (let n = 0; n < 100; n++) rates.take(`guest-${n}`);
    expect(rates.size).toBe(100);
    for (const _ of [1, 2]) {
      await clock.advance(1_000);
      rates.take('ada');
    }
    expect(rates.size).toBe(2);
  });

  it('remembers a bounded number of keys, however many come', () => {
    const rates = new KeyedRates(new FakeClock(), 10, 100);
    for (let n = 0; n < 1_000; n++) {
      expect(rates.take(`guest-${n}`)).toBe(0);
      expect(rates.size).toBeLessThanOrEqual(200);
    }
  });
});
