import type { Person } from '../load/person.js';
import type { Scenario } from '../load/scenario.js';
import { Editor, furniture } from './editing.js';

/** A talk that many follow: what few write reaches all. */
export const readers: Scenario = {
  name: 'readers',
  says: 'a few writers and many watchers on some boards',
  sizes: {
    boards: { preset: 4, says: 'boards' },
    writers: { preset: 2, says: 'writers at each' },
    watchers: { preset: 100, says: 'watchers of each' },
    rate: { preset: 10, says: 'pushes per second of each writer', from: 0.1, isFraction: true },
    relayed: { preset: 0, says: 'so many of a hundred watchers are relayed, not pinned', from: 0, to: 100 },
  },
  nodes: 1,
  seconds: 30,
  breaks: false,
  sessions: (size) => size('boards') * (size('writers') + size('watchers')),
  async populate(crowd) {
    const { size } = crowd;
    const [writers, watchers] = [size('writers'), size('watchers')];
    const seats = crowd
      .mine(size('boards') * (writers + watchers))
      .map((i) => ({ board: i % size('boards'), seat: Math.floor(i / size('boards')) }));
    const editors: Editor[] = [];
    const join = ({ board, seat }: (typeof seats)[number]): Person => {
      const document = crowd.document(`talk-${board}`);
      if (seat >= writers) return crowd.join(`watcher${board}-${seat}`, [document], crowd.pinOf(seat, size('relayed')));
      const writer = crowd.join(`writer${board}-${seat}`, [document]);
      editors.push(new Editor(writer, document, seat, writers));
      return writer;
    };
    await crowd.joinAll(seats, join);
    await Promise.all(editors.map(({ person, document }) => person.write(document, furniture(writers))));
    crowd.atRate(editors.length * size('rate'), (index, dueMs) => editors[index % editors.length]!.work(dueMs));
  },
  figures: ({ percentile, rate, cpuPerPush }) => [
    percentile('deliver', 'p50'),
    percentile('deliver', 'p99'),
    rate('deliver'),
    rate('push'),
    percentile('push', 'p99'),
    ...cpuPerPush(),
  ],
};
