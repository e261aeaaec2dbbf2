import { describe, expect, it } from 'vitest';
import { placeOf, readRedisAddress } from './redis-address.js';

describe('readRedisAddress', () => {
  const none = { username: undefined, password: undefined, isEncrypted: false };

  it.each([
    ['redis://localhost', { kind: 'single', hosts: [{ host: 'localhost', port: 6379 }], ...none }],
    ['redis://127.0.0.1:7000/3', { kind: 'single', hosts: [{ host: '127.0.0.1', port: 7000 }], ...none }],
    ['redis://[::1]:7000/', { kind: 'single', hosts: [{ host: '::1', port: 7000 }], ...none }],
    [
      'rediss://ada:p%40ss@cache.example.com',
      {
        kind: 'single',
        hosts: [{ host: 'cache.example.com', port: 6379 }],
        username: 'ada',
        password: 'p@ss',
        isEncrypted: true,
      },
    ],
    [
      'redis-cluster://:pa:ss@a:7000,b:7001, c',
      {
        kind: 'cluster',
        hosts: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 7001 },
          { host: 'c', port: 6379 },
        ],
        username: undefined,
        password: 'pa:ss',
        isEncrypted: false,
      },
    ],
    ['rediss-cluster://a', { kind: 'cluster', hosts: [{ host: 'a', port: 6379 }], ...none, isEncrypted: true }],
  ])('reads %s', (url, address) => expect(readRedisAddress(url)).toEqual(address));

  it.each([
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis:///',
    'redis://host:port',
    'redis://host:70000',
    'redis://host/db',
    'redis://host?db=1',
    'redis://:%hunter2@host',
    'redis://ada:hunter2@one,two',
    'redis-cluster://ada:hunter2@one,,two',
  ])('refuses %s with a line, and does not repeat it', (url) => {
    expect(() => readRedisAddress(url)).toThrow(/^(must be an address such as|names several hosts)/);
    expect(() => readRedisAddress(url)).toThrow(/^(?!.*hunter2)/);
  });

  it('shows people where it leads, and no password', () => {
    expect(placeOf(readRedisAddress('redis-cluster://ada:hunter2@one,two:7'))).toBe('one:6379, two:7');
  });
});
