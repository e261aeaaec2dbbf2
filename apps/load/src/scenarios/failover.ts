import { kill } from '../chaos/faults/processes.js';
import type { Strike } from '../load/direction.js';
import type { Scenario } from '../load/scenario.js';
import { officeSessions, officeSizes, openOffice } from './office.js';
import { reportOutages } from './outages.js';

const CALM_MS = 2_000;

export const failover: Scenario = {
  name: 'failover',
  says: 'the owner of a document is killed, again and again, while people write',
  sizes: officeSizes({ boards: 24, people: 3, rate: 5 }),
  nodes: 3,
  nodesMin: 2,
  seconds: 60,
  breaks: true,
  sessions: officeSessions,
  populate: openOffice,
  async direct(direction) {
    const strikes: Strike[] = [];
    do {
      await direction.span(CALM_MS);
      strikes.push(await direction.strike(kill));
    } while (direction.leftMs > CALM_MS);
    reportOutages(direction, strikes, {
      owned: { says: 'P5: p99 ≤ 250 ms', max: 250 },
      waitP50: { says: 'P5: p50 ≤ 500 ms', max: 500 },
      waitP99: { says: 'P5: p99 ≤ 1.5 s', max: 1_500 },
    });
  },
  figures: ({ found, percentile, rate, refused }) => [
    ...found,
    refused('push', { says: 'none', max: 0 }),
    percentile('push', 'p50'),
    rate('push'),
  ],
};
