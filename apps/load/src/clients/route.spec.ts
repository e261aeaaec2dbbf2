import { describe, expect, it } from 'vitest';
import type { Epoch, NodeRef } from '@homeport/protocol';
import { Route } from './route.js';

const node = (name: string): NodeRef => ({ id: `${name}.1`, name, url: `http://${name}` });
const epoch = (n: number): Epoch => n as Epoch;

describe('the route of a document', () => {
  it('follows a move to a higher epoch, to a node that it had not known', () => {
    const route = new Route(['http://a', 'http://b'], 1);
    expect(route.target).toEqual({ url: 'http://b', node: undefined });
    route.moved(node('c'), epoch(4));
    expect(route.target).toEqual({ url: 'http://c', node: 'c' });
    expect(route.epoch).toBe(4);
  });

  it('does not follow to the same epoch or a lower one, and asks the next node that it knows', () => {
    const route = new Route(['http://a', 'http://b', 'http://c'], 0);
    route.moved(node('c'), epoch(4));
    route.moved(node('a'), epoch(4));
    expect(route.target.url).toBe('http://a');
    route.moved(node('c'), epoch(3));
    expect(route.target.url).toBe('http://b');
    expect(route.epoch).toBe(4);
  });

  it('goes where it was sent when it is told so twice', () => {
    const route = new Route(['http://a', 'http://b'], 0);
    route.moved(node('c'), epoch(4));
    route.moved(node('c'), epoch(4));
    expect(route.target.url).toBe('http://c');
  });

  it('does not follow behind the epoch in which it was opened', () => {
    const route = new Route(['http://a', 'http://b'], 0);
    route.opened(epoch(7));
    route.moved(node('z'), epoch(7));
    expect(route.target.url).toBe('http://b');
    expect(route.epoch).toBe(7);
    route.moved(node('z'), epoch(8));
    expect(route.target.url).toBe('http://z');
  });

  it('comes to every node that it knows, the one included that a move had named', () => {
    const route = new Route(['http://a', 'http://b'], 0);
    route.moved(node('c'), epoch(1));
    const asked = new Set<string>();
    for (let i = 0; i < 3; i++) {
      asked.add(route.target.url);
      route.next();
    }
    expect([...asked].sort()).toEqual(['http://a', 'http://b', 'http://c']);
  });
});
