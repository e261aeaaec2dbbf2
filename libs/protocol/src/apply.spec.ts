import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyOp, holds, isObject, type Stored } from './apply.js';
import { jsonBytes } from './json.js';
import type { Op } from './messages.js';
import type { Json, JsonObject, Seq } from './terms.js';

const on = (value: Json) => ({ value, bytes: jsonBytes(value) });
const result = (value: Json) => ({ ok: true, value, bytes: jsonBytes(value) });
const nothing = { ok: true, value: undefined, bytes: 0 };

describe('applyOp', () => {
  it('put replaces whatever is there', () => {
    const op: Op = { op: 'put', key: 'a', value: { x: 1 } };
    for (const current of [undefined, on(null), on([1]), on({ y: 2 })])
      expect(applyOp(current, op)).toEqual(result({ x: 1 }));
  });

  it('patch sets fields and then unsets fields, and leaves the others', () => {
    const op: Op = { op: 'patch', key: 'a', set: { x: 2, z: 3 }, unset: ['y', 'z', 'absent', 'y'] };
    expect(applyOp(on({ x: 1, y: 1, w: 1 }), op)).toEqual(result({ x: 2, w: 1 }));
  });

  it('patch of the last field leaves an empty object', () => {
    expect(applyOp(on({ x: 1 }), { op: 'patch', key: 'a', set: {}, unset: ['x'] })).toEqual(result({}));
  });

  it('increment adds; an absent field counts as 0', () => {
    expect(applyOp(on({ n: 1.5 }), { op: 'increment', key: 'a', field: 'n', by: -2 })).toEqual(result({ n: -0.5 }));
    expect(applyOp(on({}), { op: 'increment', key: 'a', field: 'n', by: 7 })).toEqual(result({ n: 7 }));
  });

  it('append adds at the end; an absent field counts as []', () => {
    const op: Op = { op: 'append', key: 'a', field: 'points', values: [[3, 4]] };
    expect(applyOp(on({ points: [[1, 2]] }), op)).toEqual(
      result({
        points: [
          [1, 2],
          [3, 4],
        ],
      }),
    );
    expect(applyOp(on({}), op)).toEqual(result({ points: [[3, 4]] }));
    expect(applyOp(on({ points: [] }), { ...op, values: [] })).toEqual(result({ points: [] }));
  });

  it('a field that is named like a method of every object is absent until it is set', () => {
    expect(applyOp(on({}), { op: 'increment', key: 'a', field: 'toString', by: 1 })).toEqual(result({ toString: 1 }));
    expect(applyOp(on({}), { op: 'append', key: 'a', field: 'valueOf', values: [1] })).toEqual(
      result({ valueOf: [1] }),
    );
    expect(applyOp(on({ x: 1 }), { op: 'patch', key: 'a', set: {}, unset: ['hasOwnProperty'] })).toEqual(
      result({ x: 1 }),
    );
  });

  it('a late op never revives a deleted record', () => {
    const ops: Op[] = [
      { op: 'patch', key: 'a', set: { x: 1 }, unset: [] },
      { op: 'increment', key: 'a', field: 'n', by: 1 },
      { op: 'append', key: 'a', field: 'points', values: [1] },
      { op: 'delete', key: 'a' },
    ];
    for (const op of ops) expect(applyOp(undefined, op)).toEqual(nothing);
  });

  it('delete leaves nothing', () => {
    expect(applyOp(on([1, 2]), { op: 'delete', key: 'a' })).toEqual(nothing);
  });

  it.each([
    ['a patch of a text', 'text', { op: 'patch', key: 'a', set: { x: 1 }, unset: [] }],
    ['an increment of a list', [1], { op: 'increment', key: 'a', field: '0', by: 1 }],
    ['an append to null', null, { op: 'append', key: 'a', field: 'x', values: [] }],
    ['an increment of a text field', { n: '1' }, { op: 'increment', key: 'a', field: 'n', by: 1 }],
    ['an increment of a null field', { n: null }, { op: 'increment', key: 'a', field: 'n', by: 1 }],
    ['an increment beyond all numbers', { n: 1.7e308 }, { op: 'increment', key: 'a', field: 'n', by: 1.7e308 }],
    ['an append to a number field', { p: 1 }, { op: 'append', key: 'a', field: 'p', values: [1] }],
    ['an append to a null field', { p: null }, { op: 'append', key: 'a', field: 'p', values: [1] }],
  ] as [string, Json, Op][])('refuses %s and says why', (_what, value, op) => {
    const applied = applyOp(on(value), op);
    expect(applied.ok).toBe(false);
    expect(!applied.ok && applied.why).not.toBe('');
  });

  it('any op on any record gives a sound result of the size that it says, and changes nothing in place', () => {
    fc.assert(
      fc.property(json, fc.array(anyOp, { minLength: 1, maxLength: 8 }), (start, ops) => {
        let current: { value: Json; bytes: number } | undefined = on(start);
        for (const op of ops) {
          const before = JSON.stringify(current);
          const applied = applyOp(current, op);
          expect(JSON.stringify(current)).toBe(before);
          if (!applied.ok) continue;
          if (applied.value === undefined) {
            expect(applied.bytes).toBe(0);
            current = undefined;
          } else {
            expect(applied.bytes).toBe(Buffer.byteLength(JSON.stringify(applied.value)));
            current = { value: applied.value, bytes: applied.bytes };
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('patch means what a model of it means', () => {
    fc.assert(
      fc.property(object, object, fc.array(field), (value, set, unset) => {
        const model = new Map([...Object.entries(value), ...Object.entries(set)]);
        for (const name of unset) model.delete(name);
        expect(applyOp(on(value), { op: 'patch', key: 'a', set, unset })).toMatchObject({
          value: Object.fromEntries(model),
        });
      }),
    );
  });
});

describe('holds', () => {
  const stored = (seq: number, writer: string, othersSeq: number): Stored => ({
    value: 1,
    bytes: 1,
    seq: seq as Seq,
    writer,
    othersSeq: othersSeq as Seq,
  });
  const at = (seq: number) => ({ seq: seq as Seq });

  it('absent and exists ask whether there is a record', () => {
    expect(holds({ absent: true }, undefined, 'me')).toBe(true);
    expect(holds({ absent: true }, stored(1, 'me', 0), 'me')).toBe(false);
    expect(holds({ exists: true }, undefined, 'me')).toBe(false);
    expect(holds({ exists: true }, stored(1, 'you', 1), 'me')).toBe(true);
  });

  it('seq asks for exactly that version, when somebody else wrote it', () => {
    expect(holds(at(5), stored(5, 'you', 5), 'me')).toBe(true);
    expect(holds(at(4), stored(5, 'you', 5), 'me')).toBe(false);
    expect(holds(at(6), stored(5, 'you', 5), 'me')).toBe(false);
    expect(holds(at(0), undefined, 'me')).toBe(false);
  });

  it("a session's own later writes do not count against it", () => {
    expect(holds(at(3), stored(9, 'me', 3), 'me')).toBe(true);
    expect(holds(at(3), stored(9, 'me', 2), 'me')).toBe(true);
  });

  it("a write of somebody else between one's own does", () => {
    expect(holds(at(3), stored(9, 'me', 7), 'me')).toBe(false);
  });

  it('one can not have seen the future', () => {
    expect(holds(at(10), stored(9, 'me', 3), 'me')).toBe(false);
  });
});

it('isObject tells an object from the other things that typeof calls one', () => {
  expect([{}, [], null, 'x', 1].map((value) => isObject(value))).toEqual([true, false, false, false, false]);
});

const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' }) as fc.Arbitrary<Json>;
const field = fc.constantFrom('x', 'y', 'n', 'points', 'toString', 'Größe', '"');
const object = fc.dictionary(field, json, { noNullPrototype: true }) as fc.Arbitrary<JsonObject>;
const key = fc.constant('a');
const anyOp: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant('put' as const), key, value: fc.oneof(json, object) }),
  fc.record({ op: fc.constant('put' as const), key, value: object }),
  fc.record({ op: fc.constant('patch' as const), key, set: object, unset: fc.array(field) }),
  fc.record({
    op: fc.constant('increment' as const),
    key,
    field,
    by: fc.double({ noNaN: true, noDefaultInfinity: true }),
  }),
  fc.record({ op: fc.constant('append' as const), key, field, values: fc.array(json) }),
  fc.record({ op: fc.constant('delete' as const), key }),
);
