import { BusFailed, type BusListener, type BusMessage } from '@homeport/core';
import { startRedis, TcpProxy, until, type TestRedis } from '@homeport/testkit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { envelopeText, type Envelope } from './envelope.js';
import type { BusCounts, RedisBus } from './redis-bus.js';
import { connectRedis, type RedisLinks } from './redis-links.js';
import { clusterKey, Seal } from './seal.js';

const NAMESPACE = '5f8a';
const KEY = clusterKey('a secret of at least 32 characters', NAMESPACE);
const CHANNEL = `homeport:${NAMESPACE}:node:alice.1`;

let redis: TestRedis;
let stranger: Redis;
beforeAll(async () => {
  redis = await startRedis();
  stranger = new Redis(redis.url);
});
afterAll(async () => {
  stranger.disconnect();
  await redis.dispose();
});

const opened: RedisLinks[] = [];
let heard: BusMessage[];
let warned: string[];
let alice: RedisBus;

async function connect(me: string, url = redis.url, namespace = NAMESPACE, key = KEY): Promise<RedisBus> {
  const links = await connectRedis(url, (line) => warned.push(line));
  opened.push(links);
  const bus = links.bus(namespace, key);
  const listener: BusListener = {
    answer: async (question) => question,
    hear: (notice) => void heard.push(notice),
    back: () => {},
  };
  await bus.listen(me, listener);
  return bus;
}

beforeEach(async () => {
  heard = [];
  warned = [];
  alice = await connect('alice.1');
});
afterEach(() => {
  for (const links of opened.splice(0)) links.close();
});

async function becomes(expected: Partial<BusCounts['dropped']>): Promise<void> {
  const isSo = (): boolean =>
    Object.entries(expected).every(([why, n]) => alice.counts.dropped[why as keyof typeof expected] === n);
  await until(10_000, JSON.stringify(expected), isSo);
}

const letter = (differing: Partial<Envelope> = {}): string => {
  const { body, ...head } = { from: 'bob.1', at: Date.now(), kind: 'notice' as const, id: 0, body: {}, ...differing };
  return envelopeText(head, JSON.stringify(body));
};

it('B2: what is not sealed with the key of the cluster, for this channel, is dropped and counted', async () => {
  const sealed = new Seal(KEY).seal(CHANNEL, letter());
  await stranger.spublish(CHANNEL, sealed);
  await until(10_000, 'the sound one', () => heard.length === 1);

  const changed = Buffer.from(sealed);
  changed[changed.length - 2]! ^= 1;
  const broken = [
    new Seal(clusterKey('a secret of at least 32 characters', 'other')).seal(CHANNEL, letter()),
    new Seal(clusterKey(undefined, NAMESPACE)).seal(CHANNEL, letter()),
    new Seal(KEY).seal(`homeport:${NAMESPACE}:node:carol.1`, letter()),
    changed,
    sealed.subarray(0, -1),
    sealed.subarray(0, 20),
    letter(),
    '',
  ];
  for (const message of broken) await stranger.spublish(CHANNEL, message);
  await becomes({ forged: broken.length, malformed: 0 });
  expect(heard).toHaveLength(1);
});

it('B2: what is malformed, our own, stale or nobody waits for is dropped and counted, and nothing else happens', async () => {
  const send = (text: string) => stranger.spublish(CHANNEL, new Seal(KEY).seal(CHANNEL, text));
  const malformed = [
    '',
    'x',
    'null',
    '[]',
    '{}',
    letter({ from: 7 as never }),
    letter({ kind: 'order' as never }),
    letter({ id: 0.5 }),
    letter({ at: 'now' as never }),
    letter({ body: [] as never }),
    letter({ body: null as never }),
  ];
  for (const text of malformed) await send(text);
  await send(letter({ from: 'alice.1' }));
  await send(letter({ at: Date.now() - 31_000 }));
  await send(letter({ at: Date.now() + 31_000 }));
  await send(letter({ kind: 'answer', id: 1 }));
  await send(letter({ kind: 'failure', id: 1 }));
  await becomes({ forged: 0, malformed: malformed.length, own: 1, stale: 2, late: 2 });
  expect(heard).toEqual([]);
  expect(warned[0]).toMatch(/^a message of bob\.1 was dropped, 3\d{4} ms old: do the clocks agree/);
});

it('B2: an answer counts only from the node that was asked', async () => {
  await connect('bob.1');
  const mute = new Redis(redis.url);
  await mute.ssubscribe(`homeport:${NAMESPACE}:node:mute.1`);
  const answer = alice.ask('mute.1', {}, 10_000);
  for (const from of ['bob.1', 'mute.1'])
    await stranger.spublish(
      CHANNEL,
      new Seal(KEY).seal(CHANNEL, letter({ kind: 'answer', id: 1, from, body: { from } })),
    );
  expect(await answer).toEqual({ from: 'mute.1' });
  expect(alice.counts.dropped.late).toBe(1);
  mute.disconnect();
});

it('B2: two clusters on one Redis do not hear each other, whatever they are called', async () => {
  const other = await connect('alice.1', redis.url, 'other', clusterKey(undefined, 'other'));
  await connect('bob.1', redis.url, 'other', clusterKey(undefined, 'other'));
  await expect(alice.ask('bob.1', {}, 10_000)).rejects.toThrow(/nobody listens/);
  other.tell({ n: 1 });
  expect(await other.ask('bob.1', { n: 2 }, 10_000)).toEqual({ n: 2 });
  await until(10_000, 'the notice', () => heard.length > 0);
  expect(heard).toEqual([{ n: 1 }]);
});

it('B1: a question to a node that nobody is fails at once', async () => {
  const from = performance.now();
  await expect(alice.ask('nobody.1', {}, 60_000)).rejects.toThrow(/nobody.1: nobody listens/);
  expect(performance.now() - from).toBeLessThan(10_000);
});

it('B1: a Redis that hangs is noticed, questions then fail at once, and when it goes on everything is as before', async () => {
  await connect('bob.1');
  redis.stop();
  try {
    await expect(alice.ask('bob.1', {}, 100)).rejects.toThrow(/no answer within 100 ms/);
    await until(20_000, 'the silence to be noticed', () => !alice.isUp);
    await expect(alice.ask('bob.1', {}, 60_000)).rejects.toThrow(/Redis is away/);
  } finally {
    redis.cont();
  }
  await until(20_000, 'Redis to be heard again', () => alice.isUp);
  await until(20_000, 'bob to be back', async () => (await alice.ask('bob.1', {}, 10_000).catch(() => 0)) !== 0);
});

it('B1: a connection that is dead and does not say so is found and made anew', async () => {
  const proxy = await TcpProxy.to(redis.port);
  const bob = await connect('bob.1', `redis://127.0.0.1:${proxy.port}`);
  const before = proxy.accepted;
  proxy.silence();
  await until(20_000, 'new connections', () => proxy.accepted >= before + 4 && bob.isUp);
  expect(await bob.ask('alice.1', { n: 1 }, 10_000)).toEqual({ n: 1 });
  expect(await alice.ask('bob.1', { n: 2 }, 10_000)).toEqual({ n: 2 });
  await proxy.close();
});

it('counts what it sent, and how its questions ended', async () => {
  const bob = await connect('bob.1');
  await alice.ask('bob.1', {}, 10_000);
  await expect(alice.ask('nobody.1', {}, 10_000)).rejects.toThrow(BusFailed);
  alice.tell({});
  const sentBy = ({ counts }: RedisBus) => JSON.stringify(counts.sent);
  const alices = '{"notice":1,"question":2,"answer":0,"failure":0}';
  await until(10_000, 'what alice sent', () => sentBy(alice) === alices);
  await until(10_000, 'what bob sent', () => sentBy(bob) === '{"notice":0,"question":0,"answer":1,"failure":0}');
  expect([alice.counts.questions, bob.counts.questions]).toEqual([
    { answered: 1, failed: 1 },
    { answered: 0, failed: 0 },
  ]);
});

it('B1: questions that nobody answers are bounded', async () => {
  const mute = new Redis(redis.url);
  await mute.ssubscribe(`homeport:${NAMESPACE}:node:mute.1`);
  const ends: string[] = [];
  const asked = Array.from({ length: 10_001 }, () =>
    alice.ask('mute.1', {}, 60_000).catch((error: Error) => ends.push(error.message)),
  );
  await asked.at(-1);
  expect(ends).toEqual(['10000 questions are not answered yet']);
  alice.close();
  await Promise.all(asked);
  expect(ends.slice(1).every((end) => end === 'mute.1: the bus is closed')).toBe(true);
  await expect(alice.ask('mute.1', {}, 10)).rejects.toThrow(BusFailed);
  mute.disconnect();
});
