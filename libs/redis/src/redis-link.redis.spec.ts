import { BusFailed } from '@homeport/core';
import { startRedis, TcpProxy, until, type TestRedis } from '@homeport/testkit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readRedisAddress } from './redis-address.js';
import { RedisLink } from './redis-link.js';
import { Warnings } from './warnings.js';

const LIMIT_MS = 20_000;

let redis: TestRedis;
let other: Redis;
let proxy: TcpProxy;
let link: RedisLink;
let warned: string[];
let heard: string[];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());
beforeEach(async () => {
  heard = [];
  warned = [];
  other = new Redis(redis.url);
  other.on('smessage', (_: string, message: string) => heard.push(message));
  proxy = await TcpProxy.to(redis.port);
  link = await open(proxy.port);
});
afterEach(async () => {
  link.close();
  other.disconnect();
  await proxy.close();
});

function open(port: number): Promise<RedisLink> {
  const warnings = new Warnings((line) => warned.push(line));
  return RedisLink.open(readRedisAddress(`redis://127.0.0.1:${port}`), warnings);
}

const keep = (message: Buffer): void => void heard.push(message.toString());
const hears = (...texts: string[]) => until(LIMIT_MS, `${texts.join()}, not ${heard.join()}`, () => same(texts, heard));
const same = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();

describe('what is published', () => {
  /** The message arrives, its answer does not, and the connection is made anew. */
  async function loseTheAnswer(publish: (text: string) => Promise<unknown>): Promise<void> {
    await other.ssubscribe('c');
    proxy.delayMs = 100;
    const published = publish('one').catch(() => {});
    await until(LIMIT_MS, 'the message', () => heard.length === 1);
    proxy.cut();
    proxy.mend();
    proxy.delayMs = 0;
    await until(LIMIT_MS, 'the next to be published', async () => {
      return publish('two').then(
        () => true,
        () => false,
      );
    });
    await published;
    await until(LIMIT_MS, 'the next', () => heard.includes('two'));
  }

  it('B4: never arrives twice, over a new connection', async () => {
    await loseTheAnswer((text) => link.publish('c', Buffer.from(text)));
    expect(heard).toEqual(['one', 'two']);
  });

  it('B4: a client that is not told otherwise would send it again', async () => {
    const client = new Redis(proxy.port, '127.0.0.1');
    client.on('error', () => {});
    await client.ping();
    await loseTheAnswer((text) => client.spublish('c', text));
    client.disconnect();
    expect(heard).toEqual(['one', 'one', 'two']);
  });

  it('B4: while Redis is away it is refused at once, and does not arrive later', async () => {
    await other.ssubscribe('c');
    proxy.cut();
    await until(LIMIT_MS, 'the loss to be noticed', () => !link.isUp);
    await expect(link.publish('c', Buffer.from('one'))).rejects.toThrow(/./);
    proxy.mend();
    await until(LIMIT_MS, 'Redis to be back', () => link.isUp);
    await link.publish('c', Buffer.from('two'));
    await hears('two');
    expect(link.counts).toMatchObject({ published: 1, failed: 1 });
  });

  it('B4: no more than a bound waits for a Redis that hangs, and the log is not flooded', async () => {
    redis.stop();
    const megabyte = Buffer.alloc(1024 * 1024);
    try {
      const published = Array.from({ length: 100 }, () => link.publish('c', megabyte));
      const ends = await Promise.allSettled(published.slice(16));
      expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
      expect(published.slice(0, 16).length).toBe(16);
      await Promise.allSettled(published);
    } finally {
      redis.cont();
    }
    expect(link.counts).toMatchObject({ published: 0, failed: 100, heard: 0 });
    // One at once, and one for each second that it took to give up the rest.
    expect(warned.length).toBeLessThan(6);
    expect(warned[0]).toMatch(/^a message was not published: too much is on its way to Redis/);
    await until(LIMIT_MS, 'Redis to be heard again', () => link.isUp);
    expect(await link.publish('c', megabyte)).toBe(0);
  });
});

describe('what is subscribed', () => {
  it('B5: is heard from when `subscribed` resolves, however slow the link is', async () => {
    proxy.delayMs = 30;
    for (let n = 0; n < 5; n++) {
      link.subscribe(`slow ${n}`, keep);
      expect(await other.spublish(`slow ${n}`, 'too early')).toBe(0);
      await link.subscribed(`slow ${n}`);
      expect(await other.spublish(`slow ${n}`, String(n))).toBe(1);
    }
    await hears('0', '1', '2', '3', '4');
  });

  it('B5: is subscribed again on a new connection, before `subscribed` resolves', async () => {
    link.subscribe('c', keep);
    await link.subscribed('c');
    for (let n = 0; n < 3; n++) {
      proxy.cut();
      await until(LIMIT_MS, 'the subscription to be gone', async () => (await other.spublish('c', 'too early')) === 0);
      proxy.delayMs = 30;
      proxy.mend();
      await until(LIMIT_MS, 'a subscription', () =>
        link.subscribed('c').then(
          () => true,
          () => false,
        ),
      );
      expect(await other.spublish('c', String(n))).toBe(1);
      await until(LIMIT_MS, 'the message', () => heard.includes(String(n)));
      proxy.delayMs = 0;
    }
    expect(heard.filter((text) => text !== 'too early')).toEqual(['0', '1', '2']);
  });

  // Redis is away for as many attempts to connect as a client that is not told otherwise makes before it throws away
  // what waits (20): it counts attempts, not seconds. With pauses up to half a second that takes ten of them.
  it('B6: while Redis is away, however long, is subscribed when it is back', async () => {
    link.subscribe('before', keep);
    await link.subscribed('before');
    const connections = proxy.accepted;
    proxy.cut();
    await until(LIMIT_MS, 'the loss to be noticed', () => !link.isUp);
    link.subscribe('meanwhile', keep);
    link.subscribe('left', keep);
    link.unsubscribe('left');
    await expect(link.subscribed('meanwhile')).rejects.toThrow(BusFailed);
    await expect(link.subscribed('left')).rejects.toThrow(BusFailed);
    await until(60_000, 'more attempts than 20 on each connection', () => proxy.accepted > connections + 2 * 22);
    proxy.mend();
    for (const channel of ['before', 'meanwhile'])
      await until(LIMIT_MS, channel, async () => (await other.spublish(channel, channel)) === 1);
    await hears('before', 'meanwhile');
    expect(await other.spublish('left', 'left')).toBe(0);
  }, 120_000);

  it('B6: a Redis that was killed and came back empty is subscribed as before', async () => {
    link.subscribe('c', keep);
    await link.subscribed('c');
    await redis.kill();
    await until(LIMIT_MS, 'the loss to be noticed', () => !link.isUp);
    await redis.restart();
    await until(LIMIT_MS, 'the subscription', async () => (await other.spublish('c', 'x').catch(() => 0)) === 1);
    await hears('x');
  });

  it('is not heard any more once it is left', async () => {
    link.subscribe('c', keep);
    await link.subscribed('c');
    link.unsubscribe('c');
    await until(LIMIT_MS, 'the end', async () => (await other.spublish('c', 'x')) === 0);
    await expect(link.subscribed('c')).rejects.toThrow(BusFailed);
  });
});

describe('as a user who may do what the operations manual says', () => {
  let ada: RedisLink;
  beforeEach(async () => {
    await redis.say('ACL SETUSER ada on >secret +@pubsub +@connection +info +cluster resetchannels &homeport:*');
    const warnings = new Warnings((line) => warned.push(line));
    ada = await RedisLink.open(readRedisAddress(redis.url.replace('//', '//ada:secret@')), warnings);
  });
  afterEach(() => ada.close());

  it('everything works, and nothing is complained of', async () => {
    ada.subscribe('homeport:1:c', keep);
    await ada.subscribed('homeport:1:c');
    await ada.publish('homeport:1:c', Buffer.from('x'));
    await hears('x');
    ada.unsubscribe('homeport:1:c');
    await until(LIMIT_MS, 'the end', async () => (await other.spublish('homeport:1:c', 'y')) === 0);
    expect([ada.isUp, warned]).toEqual([true, []]);
  });

  it('B6: a subscription that is refused is asked for again', async () => {
    ada.subscribe('c', keep);
    await expect(ada.subscribed('c')).rejects.toThrow(BusFailed);
    expect(warned.join()).toMatch(/a channel was not subscribed: NOPERM/);
    await redis.say('ACL SETUSER ada allchannels');
    await until(LIMIT_MS, 'the subscription', async () => (await other.spublish('c', 'x')) === 1);
  });
});

it('B4: while Redis is away nothing is asked of it, however often channels come and go, and all are heard afterwards', async () => {
  const mine = await startRedis();
  const dials = vi.spyOn(Redis.prototype, 'connect');
  const waiting = await open(mine.port);
  try {
    waiting.subscribe('before', () => {});
    await waiting.subscribed('before');
    await mine.kill();
    await until(LIMIT_MS, 'the loss to be noticed', () => !waiting.isUp);
    const asked = [vi.spyOn(Redis.prototype, 'sunsubscribe'), vi.spyOn(Redis.prototype, 'ssubscribe')];
    const from = dials.mock.calls.length;
    await until(LIMIT_MS, 'several tries to connect', () => dials.mock.calls.length >= from + 10);
    for (let n = 0; n < 500; n++) {
      waiting.subscribe(`c${n}`, () => {});
      waiting.unsubscribe(`c${n}`);
    }
    waiting.subscribe('meanwhile', () => {});
    const unsent = asked.flatMap(({ mock }) => (mock.contexts as Redis[]).filter(({ status }) => status !== 'ready'));
    expect(unsent).toHaveLength(0);
    await mine.restart();
    await until(LIMIT_MS, 'Redis to be back', () => waiting.isUp);
    await Promise.all(['before', 'meanwhile'].map((channel) => waiting.subscribed(channel)));
    expect(waiting.counts.returns).toBe(1);
  } finally {
    waiting.close();
    vi.restoreAllMocks();
    await mine.dispose();
  }
});
