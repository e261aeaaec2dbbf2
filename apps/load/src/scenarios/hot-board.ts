import type { Scenario } from '../load/scenario.js';
import { Editor, furniture } from './editing.js';

const P3 = { says: 'P3: p99 ≤ 50 ms with 50 editors × 60/s', max: 50, people: 50, rate: 60 };

/** How fast a change is on everybody's screen, the sender's included, when all of them draw at once. */
export const hotBoard: Scenario = {
  name: 'hot-board',
  says: 'one board with many editors who all drag at once; everything is delivered to all',
  sizes: {
    people: { preset: 50, says: 'editors' },
    rate: { preset: 60, says: 'pushes per second of each', from: 0.1, isFraction: true },
    relayed: { preset: 0, says: 'so many of a hundred are relayed, not pinned', from: 0, to: 100 },
  },
  nodes: 1,
  seconds: 20,
  breaks: false,
  sessions: (size) => size('people'),
  async populate(crowd) {
    const { size } = crowd;
    const document = crowd.document('hot');
    const seats = crowd.mine(size('people'));
    const people = await crowd.joinAll(seats, (seat) =>
      crowd.join(`p${seat}`, [document], crowd.pinOf(seat, size('relayed'))),
    );
    const editors = people.map((person, i) => new Editor(person, document, seats[i]!, size('people')));
    if (seats[0] === 0) await people[0]!.write(document, furniture(size('people')));
    crowd.atRate(editors.length * size('rate'), (index, dueMs) => editors[index % editors.length]!.drag(dueMs));
  },
  figures: ({ size, percentile, rate, cpuPerPush, serverLag }) => [
    percentile('deliver', 'p50'),
    percentile('deliver', 'p99', size('people') === P3.people && size('rate') === P3.rate ? P3 : undefined),
    rate('deliver'),
    rate('push'),
    percentile('push', 'p99'),
    ...cpuPerPush(),
    ...serverLag(),
  ],
};
