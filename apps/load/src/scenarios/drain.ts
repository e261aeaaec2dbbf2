import { drain as drainOne, rolling } from '../chaos/faults/processes.js';
import type { Strike } from '../load/direction.js';
import { figure } from '../load/measured.js';
import type { Scenario } from '../load/scenario.js';
import { officeSessions, officeSizes, openOffice } from './office.js';
import { reportOutages } from './outages.js';

const CALM_MS = 3_000;

/** A new version is rolled out: nobody should notice. For P7: --boards 1000 --people 5 --rate 0.2. */
export const drain: Scenario = {
  name: 'drain',
  says: 'a node is asked to end (SIGTERM) and comes back, or all of them in turn, while people write',
  sizes: {
    ...officeSizes({ boards: 60, people: 3, rate: 5 }),
    all: { preset: 0, says: '1: all nodes in turn, each time', from: 0, to: 1 },
  },
  nodes: 3,
  nodesMin: 2,
  seconds: 30,
  breaks: true,
  sessions: officeSessions,
  populate: openOffice,
  async direct(direction) {
    const fault = direction.size('all') > 0 ? rolling : drainOne;
    const strikes: Strike[] = [];
    do {
      await direction.span(CALM_MS);
      strikes.push(await direction.strike(fault));
    } while (direction.leftMs > CALM_MS);
    const drainedMs = strikes.flatMap((strike) => strike.drainedMs ?? []);
    const longestMs = drainedMs.length > 0 ? Math.max(...drainedMs) : null;
    direction.found.push(
      figure('node ended after, at the worst', longestMs, 'ms', { says: 'P7: ≤ 10 s', max: 10_000 }),
    );
    reportOutages(direction, strikes, { waitP99: { says: 'P7: p99 ≤ 100 ms', max: 100 } });
  },
  figures: ({ found, percentile, refused }) => [
    refused('push', { says: 'P7: none', max: 0 }),
    ...found,
    percentile('push', 'p50'),
    percentile('push', 'p99'),
  ],
};
