/** An office on a working day: many boards, a few people at each. What is done to the system meanwhile is another matter. */
import type { Crowd } from '../load/crowd.js';
import type { Size, SizeOf } from '../load/scenario.js';
import { Editor, furniture } from './editing.js';

interface Presets {
  readonly boards: number;
  readonly people: number;
  readonly rate: number;
}

export function officeSizes({ boards, people, rate }: Presets): Record<string, Size> {
  return {
    boards: { preset: boards, says: 'boards' },
    people: { preset: people, says: 'people at each' },
    rate: { preset: rate, says: 'pushes per second of each', from: 0.1, isFraction: true },
    cursors: { preset: 2, says: 'pointer positions per second of each', from: 0, isFraction: true },
    reads: { preset: 0.2, says: 'reads per second of each, half of them over HTTP', from: 0, isFraction: true },
    shapes: { preset: 20, says: 'shapes on each board' },
    relayed: { preset: 0, says: 'so many of a hundred are relayed, not pinned', from: 0, to: 100 },
  };
}

export function officeSessions(size: SizeOf): number {
  return size('boards') * size('people');
}

export async function openOffice(crowd: Crowd): Promise<void> {
  const { size } = crowd;
  const [people, shapes] = [size('people'), size('shapes')];
  const seats = crowd
    .mine(size('boards'))
    .flatMap((board) => Array.from({ length: people }, (_, seat) => ({ board, seat })));
  const editors: Editor[] = [];
  await crowd.joinAll(seats, ({ board, seat }) => {
    const document = crowd.document(`board-${board}`);
    const pin = crowd.pinOf(board * people + seat, size('relayed'));
    const person = crowd.join(`p${board}-${seat}`, [document], pin);
    editors.push(new Editor(person, document, seat, shapes));
    return person;
  });
  const first = editors.filter((_, i) => seats[i]!.seat === 0);
  await Promise.all(first.map(({ person, document }) => person.write(document, furniture(shapes))));
  const turn = (index: number): Editor => editors[index % editors.length]!;
  crowd.atRate(editors.length * size('rate'), (index, dueMs) => turn(index).work(dueMs));
  crowd.atRate(editors.length * size('cursors'), (index, dueMs) => turn(index).point(dueMs));
  crowd.atRate(editors.length * size('reads'), (index, dueMs) => {
    const { person, document } = crowd.random.pick(editors);
    if (index % 2 === 0) person.read(document, dueMs);
    else void crowd.readOverHttp(person.documents[0]!, dueMs);
  });
}
