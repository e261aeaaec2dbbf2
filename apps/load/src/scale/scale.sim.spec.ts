/** The simulation at its smallest, what `docs/scaling.md` says of it, and placement at every size. */
import { readFileSync } from 'node:fs';
import { SLOTS } from '@homeport/core';
import { SeededRandom } from '@homeport/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { calmCost, calmRow, noticesMax } from './own-cost.js';
import type { Episode } from './episode.js';
import { placementMoves } from './placement-moves.js';
import { simulateSize } from './simulate-size.js';

const NODES = [3, 10] as const;
const page = readFileSync(new URL('../../../../docs/scaling.md', import.meta.url), 'utf8');

describe.each(NODES)('a cluster of %i nodes', (nodes) => {
  let episodes: readonly Episode[];
  const episode = (name: string): Episode => episodes.find((each) => each.name === name)!;

  beforeAll(async () => {
    episodes = await simulateSize(nodes, 1, () => {});
  });

  it('O6: comes to rest after every change, with an owner for every slot and all of one mind', () => {
    const names = ['start of all', 'calm', 'join', 'leave', 'crash of one', 'hang of one'];
    expect(episodes.map(({ name }) => name)).toEqual(names);
    expect(episodes.filter(({ restMs }) => restMs === undefined).map(({ name }) => name)).toEqual(['calm']);
    for (const name of ['crash of one', 'hang of one']) expect(episode(name).ownedMs).toBeGreaterThan(0);
  });

  it('O7: a join and a leave move a fair share, and no slot twice', () => {
    for (const name of ['join', 'leave']) {
      const { moved, transfers, fairShare } = episode(name);
      expect(moved).toBeLessThanOrEqual(1.1 * fairShare);
      expect(transfers).toBe(moved);
    }
  });

  it('when nothing changes it sends what the page says, and no more', () => {
    const { redis, postgres, transfers } = episode('calm');
    const { published, delivered, deliveredBytes, renewals, rows, rowBytes } = calmCost(nodes);
    const perSecond = (count: number, { seconds } = redis): number => count / seconds;
    const isAsSaid = (seen: number, said: number): void => {
      expect(perSecond(seen) / said).toBeGreaterThan(0.9);
      expect(perSecond(seen) / said).toBeLessThan(1.05);
    };
    expect(transfers).toBe(0);
    expect(Object.keys(redis.kinds)).toEqual(['heartbeat']);
    isAsSaid(redis.total.sent, published);
    isAsSaid(redis.total.received, delivered);
    isAsSaid(redis.total.bytes, deliveredBytes);
    expect(Object.keys(postgres.kinds)).toEqual(['renew']);
    isAsSaid(postgres.total.sent, renewals);
    isAsSaid(postgres.total.received, rows);
    isAsSaid(postgres.total.bytes, rowBytes);
  });

  it('a change is told once for each batch of slots, and everybody reads the map twice for each at most', () => {
    for (const name of ['join', 'leave', 'crash of one']) {
      const { redis, postgres, moved, nodes: after } = episode(name);
      const notices = redis.kinds['changed']!.sent;
      expect(notices).toBeLessThanOrEqual(noticesMax(after + 1, moved));
      expect(postgres.kinds['slots']!.sent).toBeLessThanOrEqual(2 * notices * (after + 1));
    }
  });

  it('every node reads each change of owner once, and the whole map only when it comes', () => {
    for (const name of ['start of all', 'join', 'leave', 'crash of one', 'hang of one']) {
      const { postgres, transfers, nodes: after } = episode(name);
      const came = { 'start of all': nodes, join: 1 }[name] ?? 0;
      expect(postgres.kinds['slots']?.received ?? 0, name).toBeLessThanOrEqual(came * SLOTS + (after + 1) * transfers);
    }
  });
});

describe('docs/scaling.md', () => {
  it.each([3, 10, 50, 200, 1_000])('has what a calm cluster of %i nodes costs, as it is computed', (nodes) => {
    expect(page).toContain(calmRow(nodes));
  });
});

describe('placement', () => {
  it('O7: a join, a leave, and a crash of a tenth move what they must', () => {
    for (let nodes = 3; nodes <= 200; nodes++) {
      const { joined, left, crashed, orphaned, fairShare } = placementMoves(nodes, new SeededRandom(nodes));
      expect(joined).toBeLessThanOrEqual(1.1 * Math.ceil(SLOTS / (nodes + 1)));
      expect(left).toBeLessThanOrEqual(1.1 * fairShare);
      expect(crashed).toBe(orphaned);
    }
  });
});
