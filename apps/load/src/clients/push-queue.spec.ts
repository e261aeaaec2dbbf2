import { describe, expect, it } from 'vitest';
import type { Op, Seq } from '@homeport/protocol';
import { PushQueue } from './push-queue.js';

const OPS: readonly Op[] = [{ op: 'put', key: 'a', value: 1 }];

function filled(pushes: number, window = 4): PushQueue {
  const queue = new PushQueue(window);
  for (let i = 0; i < pushes; i++) queue.add(OPS);
  return queue;
}

/** What was sent, as [opNo, after]. */
function sent(queue: PushQueue): [number, number][] {
  return queue.take(0).map(({ push, after }) => [push.opNo, after]);
}

describe('the queue of a raw client', () => {
  it('sends in order, each naming the one before it, as many as the window takes', () => {
    const queue = filled(6);
    expect(sent(queue)).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 3],
    ]);
    expect(sent(queue)).toEqual([]);
    queue.accepted(1);
    expect(sent(queue)).toEqual([[5, 4]]);
  });

  it('after a refusal waits for every answer, then goes on from the head with the new `after`', () => {
    const queue = filled(5);
    sent(queue);
    queue.accepted(1);
    queue.refused(2);
    queue.postponed(3);
    expect(sent(queue)).toEqual([]);
    queue.postponed(4);
    expect(sent(queue)).toEqual([
      [3, 1],
      [4, 3],
      [5, 4],
    ]);
  });

  it('sends everything again, with the same numbers, when the socket was lost', () => {
    const queue = filled(3);
    sent(queue);
    queue.accepted(1);
    expect(queue.lost().map(({ push }) => push.opNo)).toEqual([2, 3]);
    expect(queue.inFlight).toBe(0);
    expect(sent(queue)).toEqual([
      [2, 1],
      [3, 2],
    ]);
  });

  it('settles what the owner remembers, and sends the rest', () => {
    const queue = filled(4);
    sent(queue);
    queue.lost();
    const recalled = queue.recall({
      accepted: 3,
      recent: [
        [1, 10 as Seq],
        [3, 12 as Seq],
      ],
    });
    expect(recalled.map(({ push, seq }) => [push.opNo, seq])).toEqual([
      [1, 10],
      [3, 12],
    ]);
    expect(queue.length).toBe(2);
    expect(sent(queue)).toEqual([
      [2, 1],
      [4, 3],
    ]);
  });
});
