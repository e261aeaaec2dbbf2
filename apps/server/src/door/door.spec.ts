import { FakeClock, SeededRandom } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { Door, type DoorRates } from './door.js';

const RATES: DoorRates = {
  connections: 10,
  connectionsPerAddress: 4,
  requestsPerAddress: 4,
  requestsPerUser: 2,
  guestsPerAddress: 1,
};
const ADDRESS = '203.0.113.9';

function doorAt(clock: FakeClock): Door {
  return new Door(RATES, clock, new SeededRandom(7));
}

describe('Door', () => {
  it('L3: lets an address connect at its rate, and others beside it', async () => {
    const clock = new FakeClock();
    const door = doorAt(clock);
    for (let n = 0; n < 4; n++) expect(door.connection(ADDRESS)).toBeUndefined();
    for (let n = 0; n < 100; n++) expect(door.connection(ADDRESS)).toMatchObject({ code: 'unavailable' });
    expect(door.connection('198.51.100.1')).toBeUndefined();
    await clock.advance(1_000);
    expect(door.connection(ADDRESS)).toBeUndefined();
  });

  it('L3: lets everybody together in at a bounded rate, and spreads the return of those it sends away', () => {
    const door = doorAt(new FakeClock());
    const answers = Array.from({ length: 200 }, (_, n) => door.connection(`198.51.100.${n}`));
    expect(answers.filter((answer) => answer === undefined).length).toBe(10);
    const waits = answers.flatMap((answer) => (answer && 'retryAfterMs' in answer ? [answer.retryAfterMs] : []));
    expect(waits.length).toBe(190);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000);
    const perSecond = [1, 2, 3, 4].map((s) => waits.filter((ms) => ms >= s * 1_000 && ms < (s + 1) * 1_000).length);
    for (const count of perSecond) expect(count).toBeGreaterThan(190 / 8);
  });

  it('L3: bounds requests by address and by user, and guests by address, each apart', () => {
    const door = doorAt(new FakeClock());
    const limited = (waitMs: number) => ({ ok: false, code: 'rate_limited', retryAfterMs: waitMs });
    for (let n = 0; n < 4; n++) expect(door.request(ADDRESS)).toBeUndefined();
    expect(door.request(`::ffff:${ADDRESS}`)).toMatchObject(limited(250));
    for (let n = 0; n < 2; n++) expect(door.requestOf('ada')).toBeUndefined();
    expect(door.requestOf('ada')).toMatchObject(limited(500));
    expect(door.requestOf('bob')).toBeUndefined();
    expect(door.guest(ADDRESS)).toBeUndefined();
    expect(door.guest(ADDRESS)).toMatchObject(limited(1_000));
  });
});
