import type { Epoch } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { Route } from './route.js';

const here = { id: 'a.1', name: 'a', url: 'http://a' };
const there = { id: 'b.1', name: 'b', url: 'http://b' };
const epoch = (value: number): Epoch => value as Epoch;

describe('the route', () => {
  it('C12: follows to a higher epoch only: two stale maps do not play ping-pong', () => {
    const route = new Route();
    expect(route.follow(there, epoch(3))).toBe(true);
    expect(route.follow(here, epoch(2))).toBe(false);
    expect(route.follow(here, epoch(3))).toBe(false);
    expect([route.owner, route.epoch]).toEqual([there, 3]);
    expect(route.follow(here, epoch(4))).toBe(true);
    expect([route.owner, route.epoch]).toEqual([here, 4]);
  });

  it('believes the owner itself, also where history was lost and epochs with it', () => {
    const route = new Route();
    route.follow(there, epoch(7));
    route.arrive(here, epoch(2));
    expect(route.follow(there, epoch(3))).toBe(true);
  });
});
