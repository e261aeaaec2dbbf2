import { residentBytes } from '../measuring/process-usage.js';
import type { Crowd } from '../load/crowd.js';
import type { Direction } from '../load/direction.js';
import { figure } from '../load/measured.js';
import type { Scenario } from '../load/scenario.js';
import { Editor, furniture } from './editing.js';

/** The first so many have made the server as large as it is without them. */
const FIRST_SHARE = 0.2;
const LOOK_EVERY_MS = 500;
const BYTES_PER_KB = 1_024;

/**
 * What a session costs that does nothing: the slope of the servers' memory between a fifth of the sessions and all. Of
 * each level the lowest reading counts: garbage that has not been collected yet belongs to nobody.
 */
export const idle: Scenario = {
  name: 'idle',
  says: 'thousands of open sessions that do nothing, and a few who write',
  sizes: {
    sessions: { preset: 2_000, says: 'idle sessions' },
    'people-per-board': { preset: 1, says: 'how many of them have the same board open' },
    writers: { preset: 20, says: 'of them write' },
    rate: { preset: 1, says: 'pushes per second of each writer', from: 0.2, isFraction: true },
    settle: { preset: 10, says: 'seconds in which the memory of the servers is looked at, twice' },
  },
  nodes: 1,
  seconds: 30,
  breaks: false,
  sessions: (size) => size('sessions'),
  async populate(crowd) {
    const { size } = crowd;
    await joinSome(crowd, 0, Math.ceil(size('sessions') * FIRST_SHARE));
    const mine = crowd.people.slice(0, Math.ceil(size('writers') / crowd.plan.generators));
    const editors = mine.map((person) => new Editor(person, person.documents[0]!.id, 0, 1));
    await Promise.all(editors.map(({ person, document }) => person.write(document, furniture(1))));
    crowd.atRate(editors.length * size('rate'), (index, dueMs) => editors[index % editors.length]!.drag(dueMs));
  },
  acts: {
    rest: (crowd) => joinSome(crowd, Math.ceil(crowd.size('sessions') * FIRST_SHARE), crowd.size('sessions')),
  },
  async direct(direction) {
    const first = Math.ceil(direction.size('sessions') * FIRST_SHARE);
    const rest = direction.size('sessions') - first;
    const before = await lowestMemory(direction);
    await direction.act('rest');
    const after = await lowestMemory(direction);
    if (before === undefined || after === undefined || rest === 0) return;
    const perSession = (after - before) / rest / BYTES_PER_KB;
    direction.found.push(figure('server memory per idle session', perSession, 'KB', { says: 'P9: ≤ 25 KB', max: 25 }));
  },
  figures: ({ found, percentile, serverLag }) => [
    ...found,
    percentile('push', 'p50'),
    percentile('push', 'p99'),
    percentile('open', 'p99'),
    ...serverLag(),
  ],
};

async function joinSome(crowd: Crowd, from: number, to: number): Promise<void> {
  const perBoard = crowd.size('people-per-board');
  const seats = crowd.mine(to).filter((i) => i >= from);
  await crowd.joinAll(seats, (i) => crowd.join(`idle${i}`, [crowd.document(`idle-${Math.floor(i / perBoard)}`)]));
}

/** Of all servers together; undefined where they are out of sight. */
async function lowestMemory(direction: Direction): Promise<number | undefined> {
  let lowest: number | undefined;
  for (let leftMs = direction.size('settle') * 1_000; leftMs > 0; leftMs -= LOOK_EVERY_MS) {
    await direction.span(LOOK_EVERY_MS);
    const servers = direction.system.processes().filter(({ url }) => url !== undefined);
    if (servers.length === 0) return undefined;
    const bytes = servers.reduce((sum, { pid }) => sum + (residentBytes(pid) ?? 0), 0);
    lowest = Math.min(bytes, lowest ?? Infinity);
  }
  return lowest;
}
