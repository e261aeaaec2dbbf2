import { nowMs } from '../history/operation.js';
import { figure } from '../load/measured.js';
import type { Scenario } from '../load/scenario.js';
import { officeSessions, officeSizes, openOffice } from './office.js';

const CALM_MS = 3_000;

/** A network that fails for everybody: all come back at once, and each must be told what it missed. */
export const storm: Scenario = {
  name: 'storm',
  says: 'all sockets are dropped at once, again and again, while people write',
  sizes: {
    ...officeSizes({ boards: 100, people: 10, rate: 0.5 }),
    storms: { preset: 3, says: 'times that all sockets are dropped' },
  },
  nodes: 1,
  seconds: 20,
  breaks: false,
  sessions: officeSessions,
  populate: openOffice,
  acts: {
    async drop(crowd) {
      for (const person of crowd.people) person.drop();
      await crowd.until('everybody to be back', () => crowd.people.every((one) => one.droppedMs === undefined));
    },
  },
  async direct(direction) {
    let longestMs = 0;
    for (let i = 0; i < direction.size('storms'); i++) {
      await direction.span(CALM_MS);
      await direction.during('storm', async () => {
        const start = nowMs();
        await direction.act('drop');
        const tookMs = nowMs() - start;
        longestMs = Math.max(longestMs, tookMs);
        return { did: `${officeSessions(direction.size)} sockets dropped, all back after ${Math.round(tookMs)} ms` };
      });
    }
    direction.found.push(figure('all back and complete, at the worst', longestMs, 'ms'));
  },
  figures: ({ found, percentile, serverLag, refused }) => [
    ...found,
    percentile('back', 'p50'),
    percentile('back', 'p99'),
    percentile('push', 'p99'),
    refused('push', { says: 'none', max: 0 }),
    ...serverLag(),
  ],
};
