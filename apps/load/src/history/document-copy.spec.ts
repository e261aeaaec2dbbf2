import type { Entry, Seq } from '@homeport/protocol';
import { stateHash } from '@homeport/protocol';
import { expect, it } from 'vitest';
import { DocumentCopy } from './document-copy.js';

const entry = (seq: number, op: Entry['ops'][number]): Entry => {
  return { seq: seq as Seq, session: 's', opNo: seq, user: 'ada', at: 0, ops: [op] };
};

it('D3: says no hash while a later page may be younger than the first, also where it lacks a record for that', () => {
  const copy = new DocumentCopy();
  copy.install({ a: { value: 1, seq: 1 as Seq } });
  // b was deleted at 4, after the first page was made at 3 and before this one.
  copy.install({});
  copy.standAt(3 as Seq, 4 as Seq);
  expect(copy.hash()).toBeUndefined();
  copy.apply(entry(4, { op: 'delete', key: 'b' }));
  expect(copy.hash()).toBe(stateHash(new Map([['a', { value: 1, seq: 1 as Seq }]])));
});
