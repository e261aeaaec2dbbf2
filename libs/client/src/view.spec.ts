import type { Entry, Op, RecordState, Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { View } from './view.js';

const entry = (seq: number, ops: Op[], session = 'them'): Entry => ({
  seq: seq as Seq,
  session,
  opNo: 1,
  user: 'u',
  at: 0,
  ops,
});
const put = (key: string, value: RecordState['value']): Op => ({ op: 'put', key, value });
const increment = (key: string): Op => ({ op: 'increment', key, field: 'n', by: 1 });

function viewOf(records: Record<string, RecordState['value']>, seq = 1): View {
  const view = new View(() => 'me');
  view.reset(new Map(Object.entries(records).map(([key, value]) => [key, { value, seq: seq as Seq }])));
  view.rebase([], 'all');
  return view;
}

describe('the view', () => {
  it('gives the same records until something changed, and a new object then', () => {
    const view = viewOf({ a: 1 });
    const before = view.records();
    expect(view.records()).toBe(before);
    view.cover([put('a', 2)]);
    expect(view.records()).not.toBe(before);
    expect(view.records().get('a')).toMatchObject({ value: 2, seq: 1 });
  });

  it('is a whole read-only map', () => {
    const records = viewOf({ a: 1, b: 2 }).records();
    expect(records.size).toBe(2);
    expect(records.has('a')).toBe(true);
    expect([...records.keys()]).toEqual(['a', 'b']);
    expect([...records.values()].map(({ value }) => value)).toEqual([1, 2]);
    const seen: string[] = [];
    records.forEach((_, key) => seen.push(key));
    expect([...records].map(([key]) => key)).toEqual(seen);
  });

  it('C1: works pending pushes out anew on what others wrote', () => {
    const view = viewOf({ a: { n: 1 } });
    const pending = [[increment('a')]];
    view.cover(pending[0]!);
    const touched = new Set<string>();
    view.applyEntry(entry(2, [increment('a'), increment('a')]), touched);
    expect(view.rebase(pending, touched)).toEqual(new Set(['a']));
    expect(view.records().get('a')).toMatchObject({ value: { n: 4 }, seq: 2 });
    view.rebase([], []);
    expect(view.records().get('a')?.value).toEqual({ n: 3 });
  });

  it('shows nothing of a push that would be refused as things are', () => {
    const view = viewOf({ a: 1 });
    const changed = view.cover([put('b', 1), { op: 'put', key: 'a', value: 2, if: { absent: true } }]);
    expect([...changed]).toEqual([]);
    expect(view.records().has('b')).toBe(false);
  });

  it('leaves records alone that are younger than an entry, but not those that the same entry has touched', () => {
    const view = viewOf({ a: { n: 7 } }, 9);
    view.applyEntry(entry(8, [increment('a')]), new Set());
    view.applyEntry(entry(10, [increment('a'), increment('a')]), new Set());
    view.rebase([], ['a']);
    expect(view.records().get('a')).toMatchObject({ value: { n: 9 }, seq: 10 });
  });

  it('keeps the identity of values that did not change', () => {
    const view = viewOf({ a: 1 });
    const pending = [[put('a', { x: [1] })]];
    view.cover(pending[0]!);
    const shown = view.records().get('a')?.value;
    view.applyEntry(entry(2, pending[0]!, 'me'), new Set());
    expect(view.rebase([], ['a'])).toEqual(new Set(['a']));
    expect(view.records().get('a')?.value).toBe(shown);
    expect(view.records().get('a')?.seq).toBe(2);
  });

  it('does not count own pending writes against the version in a condition', () => {
    const view = viewOf({ a: 1 }, 5);
    view.cover([put('a', 2)]);
    expect(view.foresee([{ op: 'put', key: 'a', value: 3, if: { seq: 5 as Seq } }]).refused).toBeUndefined();
    expect(view.foresee([{ op: 'put', key: 'a', value: 3, if: { seq: 4 as Seq } }]).refused).toBeDefined();
  });

  it('does not copy the document for a change of one record', () => {
    const view = viewOf(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index])));
    const [first, same] = [view.records().get('k1'), view.records().get('k2')];
    view.cover([put('k1', 'new')]);
    expect(view.records().get('k1')).not.toBe(first);
    expect(view.records().get('k2')).toBe(same);
  });
});
