import { expect, it } from 'vitest';
import type { Direction, Strike } from '../load/direction.js';
import type { ResultFigure } from '../load/run-result.js';
import { reportOutages } from './outages.js';

const TARGETS = { owned: { says: 'P5', max: 250 }, waitP99: { says: 'P5', max: 1_500 } };

function reported(strikes: readonly Strike[], targets = {}): ResultFigure[] {
  const found: ResultFigure[] = [];
  reportOutages({ found } as Partial<Direction> as Direction, strikes, targets);
  return found.filter(({ target }) => target !== undefined);
}

it('blows after which nobody waited, and no slot was owned again, reach no target', () => {
  expect(reported([{ did: 'killed node-1', waitsMs: [] }], TARGETS)).toMatchObject([
    { name: 'slots owned again p99', value: null, target: { reached: false } },
    { name: 'longest wait for an ack, hit documents p99', value: null, target: { reached: false } },
  ]);
  expect(reported([{ did: 'killed node-1', waitsMs: [400], ownedAfterMs: 90 }], TARGETS)).toMatchObject([
    { value: 90, target: { reached: true } },
    { value: 400, target: { reached: true } },
  ]);
});
