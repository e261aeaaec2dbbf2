import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, digest, stateHash } from './canonical.js';
import type { RecordState } from './messages.js';
import type { Json, Seq } from './terms.js';

const json = fc.jsonValue() as fc.Arbitrary<Json>;

describe('canonicalJson', () => {
  it('is the same text whatever the order of the fields', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('says the same value as JSON does', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('writes numbers in one way', () => {
    expect(canonicalJson([-0, 1e21, 0.1, 100, 1e-7])).toBe('[0,1e+21,0.1,100,1e-7]');
  });

  it('sorts names by their UTF-16 units', () => {
    expect(canonicalJson({ b: 1, a: { z: 1, B: 2 }, '😀': 3, '\uffff': 4 })).toBe(
      '{"a":{"B":2,"z":1},"b":1,"😀":3,"\uffff":4}',
    );
  });
});

describe('digest', () => {
  it('is cyrb53, as 14 hex digits', () => {
    expect(digest('a')).toBe('1c2ba782c97901');
    expect(digest('')).toMatch(/^[0-9a-f]{14}$/);
  });

  it('tells texts apart that differ little', () => {
    const digests = new Set(Array.from({ length: 100_000 }, (_, n) => digest(`shape:${n}`)));
    expect(digests.size).toBe(100_000);
  });
});

describe('stateHash', () => {
  const record = (value: Json, seq: number): RecordState => ({ value, seq: seq as Seq });

  it('D3: does not depend on the order of records or of fields', () => {
    const one = stateHash([
      ['a', record({ x: 1, y: 2 }, 3)],
      ['b', record(null, 4)],
    ]);
    const other = stateHash([
      ['b', record(null, 4)],
      ['a', record({ y: 2, x: 1 }, 3)],
    ]);
    expect(other).toBe(one);
  });

  it('D3: changes with a key, a value, or the seq of a record', () => {
    const hashes = [
      stateHash([]),
      stateHash([['a', record(1, 1)]]),
      stateHash([['b', record(1, 1)]]),
      stateHash([['a', record(2, 1)]]),
      stateHash([['a', record(1, 2)]]),
      stateHash([['a', record('1', 1)]]),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, item]) => [name, reversed(item as Json)]),
  );
}
