import { hangFor } from '../chaos/faults/processes.js';
import type { Strike } from '../load/direction.js';
import type { Scenario } from '../load/scenario.js';
import { officeSessions, officeSizes, openOffice } from './office.js';
import { reportOutages } from './outages.js';

const CALM_MS = 3_000;

export const hang: Scenario = {
  name: 'hang',
  says: 'the owner of a document hangs (SIGSTOP), and wakes up when others have taken over',
  sizes: {
    ...officeSizes({ boards: 24, people: 3, rate: 5 }),
    'hang-seconds': { preset: 10, says: 'how long it hangs', from: 5 },
  },
  nodes: 3,
  nodesMin: 2,
  seconds: 45,
  breaks: true,
  sessions: officeSessions,
  populate: openOffice,
  async direct(direction) {
    const fault = hangFor(direction.size('hang-seconds') * 1_000);
    const strikes: Strike[] = [];
    do {
      await direction.span(CALM_MS);
      strikes.push(await direction.strike(fault));
    } while (direction.leftMs > 2 * CALM_MS);
    reportOutages(direction, strikes, { waitP99: { says: 'P6: p99 ≤ 5 s', max: 5_000 } });
  },
  figures: ({ found, percentile, refused }) => [
    ...found,
    refused('push', { says: 'none', max: 0 }),
    percentile('push', 'p50'),
  ],
};
