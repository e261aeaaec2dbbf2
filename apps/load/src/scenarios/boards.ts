import type { Scenario } from '../load/scenario.js';
import { officeSessions, officeSizes, openOffice } from './office.js';

const P2 = { says: 'P2: p99 ≤ 10 ms at 1,000 pushes/s', max: 10, pushesPerSecond: 1_000 };

export const boards: Scenario = {
  name: 'boards',
  says: 'many boards with a few people each: they drag, type, point and read',
  sizes: officeSizes({ boards: 50, people: 4, rate: 5 }),
  nodes: 1,
  seconds: 30,
  breaks: false,
  sessions: officeSessions,
  populate: openOffice,
  figures: ({ size, percentile, rate, cpuPerPush }) => [
    percentile('push', 'p50'),
    percentile('push', 'p99', officeSessions(size) * size('rate') === P2.pushesPerSecond ? P2 : undefined),
    rate('push'),
    percentile('deliver', 'p99'),
    rate('deliver'),
    percentile('read', 'p99'),
    ...cpuPerPush(),
  ],
};
