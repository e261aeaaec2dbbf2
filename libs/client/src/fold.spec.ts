import { applyOp, type Json, type Op } from '@homeport/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fold, foldingOf } from './fold.js';

const field = fc.constantFrom('x', 'y');
const value = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant('text'), fc.constant([1]));
const object = fc.dictionary(field, value);
const key = fc.constantFrom('a', 'b');
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant('put' as const), key, value: object }),
  fc.record({ op: fc.constant('patch' as const), key, set: object, unset: fc.subarray(['x', 'y']) }),
  fc.record({ op: fc.constant('delete' as const), key }),
  fc.record({ op: fc.constant('increment' as const), key, field, by: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ op: fc.constant('append' as const), key, field, values: fc.array(fc.integer(), { maxLength: 2 }) }),
);

/** What the ops make of the records, or undefined if one of them is refused. */
function run(start: ReadonlyMap<string, Json>, ops: readonly Op[]): Map<string, Json> | undefined {
  const records = new Map(start);
  for (const next of ops) {
    const current = records.get(next.key);
    const applied = applyOp(current === undefined ? undefined : { value: current, bytes: 0 }, next);
    if (!applied.ok) return undefined;
    if (applied.value === undefined) records.delete(next.key);
    else records.set(next.key, applied.value);
  }
  return records;
}

describe('folding', () => {
  it('leaves what the ops did one after the other', () => {
    const start = fc.dictionary(key, object).map((records) => new Map<string, Json>(Object.entries(records)));
    fc.assert(
      fc.property(start, fc.array(op, { minLength: 1, maxLength: 12 }), (records, ops) => {
        const apart = run(records, ops);
        // Only writes that would be accepted are folded.
        fc.pre(apart !== undefined);
        const folding = foldingOf(ops.slice(0, 1));
        for (const next of ops.slice(1)) fold(folding, next);
        expect(run(records, folding.ops)).toEqual(apart);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps one op for a drag, a stroke and a counter', () => {
    const folding = foldingOf([{ op: 'patch', key: 'a', set: { x: 0 }, unset: [] }]);
    for (let i = 1; i < 50; i++) fold(folding, { op: 'patch', key: 'a', set: { x: i }, unset: [] });
    for (let i = 0; i < 50; i++) fold(folding, { op: 'append', key: 's', field: 'points', values: [i] });
    for (let i = 0; i < 50; i++) fold(folding, { op: 'increment', key: 'c', field: 'n', by: 1 });
    expect(folding.ops.map(({ op: kind }) => kind)).toEqual(['patch', 'append', 'increment']);
    expect(folding.ops[2]).toMatchObject({ by: 50 });
  });

  it('keeps one op for each field that is written by turns', () => {
    const folding = foldingOf([{ op: 'append', key: 's', field: 'points', values: [0] }]);
    for (let i = 1; i < 50; i++) {
      fold(folding, { op: 'append', key: 's', field: 'pressures', values: [i] });
      fold(folding, { op: 'patch', key: 's', set: { x: i }, unset: [] });
      fold(folding, { op: 'append', key: 's', field: 'points', values: [i] });
    }
    expect(folding.ops.map((op) => [op.op, 'field' in op && op.field])).toEqual([
      ['append', 'points'],
      ['append', 'pressures'],
      ['patch', false],
    ]);
    fold(folding, { op: 'patch', key: 's', set: { points: [] }, unset: [] });
    fold(folding, { op: 'append', key: 's', field: 'points', values: [50] });
    expect(folding.ops.length).toBe(4);
  });
});
