import type { Epoch } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { Route } from './route.js';

const here = { id: 'a.1', name: 'a', url: 'http://a' };
const there = { id: 'b.1', name: 'b', url: 'http://b' };
const epoch = (value: number): Epoch => value as Epoch;

describe('the route', () => {
  it('follows the owner elsewhere, and carries the epoch that it followed', () => {
    const route = new Route('http://home');
    expect(route.follow('d', there, epoch(3), here)).toBe('dial');
    expect([route.url, route.epoch('d'), route.epoch('e')]).toEqual(['http://b', 3, undefined]);
  });

  it('does not play ping-pong between two stale maps', () => {
    const route = new Route('http://home');
    route.follow('d', there, epoch(3), here);
    expect(route.follow('d', here, epoch(2), there)).toBe('ask');
    expect(route.url).toBe('http://b');
    expect(route.follow('d', here, epoch(4), there)).toBe('dial');
  });

  it('asks again here when the owner is here', () => {
    expect(new Route('http://home').follow('d', here, epoch(1), here)).toBe('ask');
  });

  it('goes home when the owner can not be reached', () => {
    const route = new Route('http://home');
    route.follow('d', there, epoch(3), here);
    route.failed();
    expect(route.url).toBe('http://home');
    route.forget('d');
    expect(route.epoch('d')).toBeUndefined();
  });
});
