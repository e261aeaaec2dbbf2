import { FakeClock } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { Departures } from './departures.js';

describe('Departures', () => {
  it('E1: thousands who are served meanwhile go one after another, within 6 s; more go between them', () => {
    const departures = new Departures(new FakeClock());
    const waits = Array.from({ length: 4_800 }, () => departures.afterMs(true));
    expect(waits.slice(0, 3)).toEqual([0, 3, 6]);
    expect(Math.max(...waits)).toBe(6_000);
    const perMs = new Map<number, number>();
    for (const wait of waits) perMs.set(wait, (perMs.get(wait) ?? 0) + 1);
    expect(Math.max(...perMs.values())).toBe(3);
    expect(departures.lastMs).toBe(6_000);
  });

  it('who is not served any more waits for a quarter of a second at most, whoever else is on the way', () => {
    const departures = new Departures(new FakeClock());
    for (let n = 0; n < 1_000; n++) departures.afterMs(true);
    const waits = Array.from({ length: 5_000 }, () => departures.afterMs(false));
    expect(waits[0]).toBe(0);
    expect(Math.max(...waits)).toBeLessThanOrEqual(250);
  });

  it('who comes when the others have gone does not wait', async () => {
    const clock = new FakeClock();
    const departures = new Departures(clock);
    for (let n = 0; n < 100; n++) departures.afterMs(true);
    await clock.advance(400);
    expect(departures.afterMs(true)).toBe(0);
  });
});
