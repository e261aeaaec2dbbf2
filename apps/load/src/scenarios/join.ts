import { nowMs } from '../history/operation.js';
import { figure } from '../load/measured.js';
import type { Scenario } from '../load/scenario.js';
import { officeSessions, officeSizes, openOffice } from './office.js';
import { reportOutages } from './outages.js';

export const join: Scenario = {
  name: 'join',
  says: 'a node is added while people write, and takes its share of the documents',
  sizes: officeSizes({ boards: 60, people: 3, rate: 5 }),
  nodes: 2,
  nodesMin: 2,
  seconds: 30,
  breaks: true,
  sessions: officeSessions,
  populate: openOffice,
  async direct(direction) {
    const { cluster, watch } = direction.own;
    const before = (await watch.look()).owners;
    let servesMs = 0;
    let share = 0;
    const strike = await direction.during('join', async () => {
      const start = nowMs();
      const { name } = await cluster.add();
      servesMs = nowMs() - start;
      await direction.own.balanced();
      const { owners, nodes } = await watch.look();
      share = owners.filter((owner) => nodes.get(owner ?? '') === name).length;
      return { did: `${name} served after ${Math.round(servesMs)} ms and has ${share} slots` };
    });
    const after = (await watch.look()).owners;
    const moved = after.filter((owner, slot) => owner !== before[slot]).length;
    const [mark] = direction.marks.slice(-1);
    direction.found.push(
      figure('it serves after', servesMs, 'ms'),
      figure('it has its share after', mark!.untilMs - mark!.atMs, 'ms'),
      figure('slots of the new node', share, ''),
      figure('slots that moved', moved, ''),
    );
    reportOutages(direction, [strike], {});
  },
  figures: ({ found, percentile, refused }) => [
    ...found,
    refused('push', { says: 'none', max: 0 }),
    percentile('push', 'p99'),
  ],
};
