import { describe, expect, it } from 'vitest';
import { stagedView } from '../test/staged-view.js';
import { Colours } from './colours.js';
import { headline, lasting, moment, share, told } from './words.js';

const rows = (...states: ('up' | 'draining' | 'dead')[]) =>
  states.map((state, index) => ({ name: `node-${index}`, url: 'http://node', state }));

describe('words', () => {
  it('the headline says whether every slot has a home', () => {
    expect(headline(stagedView(rows('up')))).toBe('One node, every home.');
    expect(headline(stagedView(rows('up', 'up', 'dead')))).toBe('2 nodes, every slot at home.');
    expect(headline(stagedView(rows('up', 'draining')))).toBe('Moving out, nobody waits.');
    expect(headline(stagedView(rows('dead')))).toBe('1,024 slots without a home.');
  });

  it('spans, shares and moments', () => {
    expect([0.42, 18.4, 999, 1_250, 125_000].map(lasting)).toEqual(['0.4 ms', '18 ms', '999 ms', '1.3 s', '2 min 5 s']);
    expect([0, 3, 341, 1_024].map((slots) => share(slots, 1_024))).toEqual(['0 %', '0.3 %', '33 %', '100 %']);
    const noon = new Date(2030, 4, 3, 12, 1, 2).getTime();
    expect(moment(noon, noon)).toBe('12:01:02');
    expect(moment(noon, noon + 86_400_000)).toBe('May 3, 12:01:02');
  });

  it('what happened, by names also where ids are told', () => {
    const handed = { kind: 'handed_off', node: 'b.1x', from: 'a.9z', slots: 1, tookMs: 8.04, at: 0 } as const;
    expect(told(handed)).toEqual({ who: 'b', what: 'was handed 1 slot by a', took: 'in 8.0 ms' });
    expect(told({ kind: 'died', node: 'a', at: 0 })).toEqual({ who: 'a', what: 'died', took: '' });
  });

  it('a name keeps its colour, and no two of the first eight share one', () => {
    const colours = new Colours();
    const names = Array.from({ length: 8 }, (_, index) => `node-${index}`);
    const first = names.map((name) => colours.of(name));
    expect(new Set(first).size).toBe(8);
    expect(names.toReversed().map((name) => colours.of(name))).toEqual(first.toReversed());
  });
});
