import { nodeNamed } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import type { NodeRow, Renewed } from './lease-table.js';
import { Membership } from './membership.js';

const SETTINGS = { ttlMs: 3_000, marginMs: 100, renewalMs: 750, settleMs: 3_000 };
/** After this long without a change of its counter a node may be declared dead. */
const OUTLIVED_MS = 3_000 * 1.005 + 100;

describe('Membership', () => {
  it('O3: a node whose counter stands still for a whole lease, watched all the while, has expired', () => {
    const { see, membership } = watching();
    see(0, { me: 1, other: 7 });
    for (let at = 750; at < OUTLIVED_MS; at += 750) {
      see(at, { me: at, other: 7 });
      expect(membership.expired(at)).toEqual([]);
    }
    see(3_200, { me: 9, other: 7 });
    expect(membership.expired(3_200).map(({ id }) => id)).toEqual(['other.1']);
    see(3_300, { me: 10, other: 8 });
    expect(membership.expired(3_300)).toEqual([]);
  });

  it('E6: who could not watch for two periods judges nobody until it has watched a whole lease again', () => {
    const { see, membership } = watching();
    see(0, { me: 1, other: 7 });
    see(750, { me: 2, other: 7 });
    expect(membership.expired(60_000)).toEqual([]);
    see(60_000, { me: 3, other: 7 });
    expect([membership.expired(60_000), membership.mayProve(60_000)]).toEqual([[], true]);
    for (let at = 60_750; at < 60_000 + OUTLIVED_MS; at += 750) {
      see(at, { me: at, other: 7 });
      expect(membership.expired(at)).toEqual([]);
    }
    see(63_200, { me: 9, other: 7 });
    expect(membership.expired(63_200)).toHaveLength(1);
  });

  it('E6: after a restart of the database every counter is watched anew, and a free lock proves nothing for a lease', () => {
    const { see, membership } = watching();
    for (let at = 0; at <= 3_000; at += 750) see(at, { me: at, other: 7 });
    see(3_200, { me: 5, other: 7 }, 'restarted');
    expect([membership.expired(3_200), membership.mayProve(3_200)]).toEqual([[], false]);
    for (let at = 3_900; at <= 6_200; at += 700) see(at, { me: at, other: 7 }, 'restarted');
    expect([membership.expired(6_200), membership.mayProve(6_200)]).toEqual([[], true]);
    see(6_400, { me: 6, other: 7 }, 'restarted');
    expect(membership.expired(6_400)).toHaveLength(1);
  });

  it('O3 E6: whose lease connection broke judges nobody before a renewal, and takes a free lock for no proof', () => {
    const { see, membership } = watching();
    for (let at = 0; at <= 3_000; at += 750) see(at, { me: at, other: 7 });
    expect(membership.mayProve(3_200)).toBe(true);
    membership.lostSight();
    expect([membership.expired(3_200), membership.mayProve(3_200)]).toEqual([[], false]);
    see(3_300, { me: 6, other: 7 });
    expect([membership.expired(3_300), membership.mayProve(3_300)]).toEqual([[], true]);
    for (let at = 4_000; at <= 6_000; at += 700) see(at, { me: at, other: 7 });
    see(6_500, { me: 7, other: 7 });
    expect(membership.expired(6_500)).toHaveLength(1);
  });

  it('counts on nodes that have been up for a while, or on all where none has', () => {
    const { see, membership } = watching();
    see(0, { me: 1 });
    expect(names(membership.candidates(0))).toEqual(['me']);
    see(2_000, { me: 2, late: 1 });
    see(3_000, { me: 3, late: 2 });
    expect(names(membership.candidates(3_000))).toEqual(['me']);
    see(5_000, { me: 4, late: 3 });
    expect(names(membership.candidates(5_000))).toEqual(['me', 'late']);
    see(5_100, { me: 5, late: 4 }, 'server', { late: 'draining' });
    expect(names(membership.candidates(5_100))).toEqual(['me']);
    expect(membership.changedMs).toBe(5_100);
  });
});

function watching() {
  const membership = new Membership('me.1', SETTINGS);
  const see = (
    atMs: number,
    counters: Readonly<Record<string, number>>,
    serverStart = 'server',
    states: Readonly<Record<string, NodeRow['state']>> = {},
  ): void => {
    const nodes = Object.entries(counters).map(([name, renewals]): NodeRow => {
      return { ...nodeNamed(name), state: states[name] ?? 'up', renewals };
    });
    const serverAgeMs = serverStart === 'server' ? 60_000 : 0;
    const renewed: Renewed = {
      kind: 'renewed',
      nodes,
      version: 1,
      serverStart,
      serverAgeMs,
      timeline: 'timeline-1',
      revoked: 0,
    };
    membership.observe(renewed, atMs);
  };
  return { membership, see };
}

function names(rows: readonly NodeRow[]): string[] {
  return rows.map(({ name }) => name);
}
