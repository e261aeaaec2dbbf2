import { describe, expect, it } from 'vitest';
import { Identity } from './access.js';

describe('Identity', () => {
  it('L5: the strongest pattern that matches wins, in any order; none is no right', () => {
    const ada = new Identity('ada', { 'board-*': 'read', 'board-1': 'write', 'team.*.draft': 'write' }, null);
    expect(ada.accessTo('board-1')).toBe('write');
    expect(ada.accessTo('board-2')).toBe('read');
    expect(ada.accessTo('team.x.draft')).toBe('write');
    expect(ada.accessTo('team.x.final')).toBe('none');
    expect(ada.accessTo('my-board-1')).toBe('none');
    expect(new Identity('ada', { 'board-1': 'write', '*': 'read' }, null).accessTo('board-1')).toBe('write');
  });

  it('L5: a star is any run of characters, everything else is itself', () => {
    const access = (pattern: string, document: string) =>
      new Identity('a', { [pattern]: 'read' }, null).accessTo(document);
    expect(access('a.b', 'a.b')).toBe('read');
    expect(access('a.b', 'axb')).toBe('none');
    expect(access('*', 'anything:at~all')).toBe('read');
    expect(access('a*b*c', 'a-b-b-c')).toBe('read');
    expect(access('a*', 'a')).toBe('read');
    expect(access('[a-z]+', 'abc')).toBe('none');
    expect(access('', 'a')).toBe('none');
  });

  it('no pattern is slow', () => {
    const identity = new Identity('a', { [`${'*'.repeat(50)}!`]: 'read' }, null);
    const startedMs = performance.now();
    expect(identity.accessTo('a'.repeat(128))).toBe('none');
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('runs out at its time, or never', () => {
    expect(new Identity('a', {}, 1_000).isExpired(999)).toBe(false);
    expect(new Identity('a', {}, 1_000).isExpired(1_000)).toBe(true);
    expect(new Identity('a', {}, null).isExpired(Number.MAX_VALUE)).toBe(false);
  });
});
