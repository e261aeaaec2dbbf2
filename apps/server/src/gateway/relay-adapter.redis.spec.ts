/** What is delivered and published, over two Socket.IO servers and a real Redis, as it arrives on the wire. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BusFailed } from '@homeport/core';
import { clusterKey, connectRedis, type RedisLinks } from '@homeport/redis';
import { startRedis, TcpProxy, TestRedisCluster, until, type TestRedis } from '@homeport/testkit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { RoomFanOut } from './room-fan-out.js';
import { relayAdapter } from './relay-adapter.js';
import { relayRoomOf, roomOf } from './room.js';
import { SocketChannel } from './socket-channel.js';
import { createSocketServer, type HomeSocket, type HomeSocketServer } from './socket-server.js';

const LIMIT_MS = 20_000;
const NAMESPACE = '5f8a';
const KEY = clusterKey('a secret of at least 32 characters', NAMESPACE);

/** The part of a node that fans out. */
class Node {
  readonly io: HomeSocketServer = createSocketServer(new Set());
  readonly fanOut = new RoomFanOut(this.io);
  readonly warned: string[] = [];
  readonly #http: Server = createServer();

  private constructor(readonly links: RedisLinks) {}

  static async start(url: string, namespace = NAMESPACE, key = KEY): Promise<Node> {
    const warned: string[] = [];
    const node = new Node(await connectRedis(url, (line) => warned.push(line)));
    Object.assign(node, { warned });
    node.io.adapter(relayAdapter(node.links.frames, namespace, key));
    node.io.attach(node.#http);
    await new Promise<void>((listening) => node.#http.listen(0, '127.0.0.1', listening));
    return node;
  }

  async client(): Promise<Client> {
    const joined = new Promise<HomeSocket>((resolve) => this.io.once('connection', resolve));
    const { port } = this.#http.address() as AddressInfo;
    const peer = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
    const frames: string[] = [];
    peer.on('message', (data: Buffer) => data.toString().startsWith('42') && frames.push(data.toString()));
    peer.once('open', () => peer.send('40{}'));
    const socket = await joined;
    const channel = new SocketChannel(socket);
    socket.data.channel = channel;
    return { peer, socket, frames, channel };
  }

  async stop(): Promise<void> {
    await this.io.close();
    this.links.close();
  }
}

interface Client {
  readonly peer: WebSocket;
  readonly socket: HomeSocket;
  readonly channel: SocketChannel;
  /** Events as they came over the wire. */
  readonly frames: string[];
}

const head = (seq: number): string => `{"document":"board","seq":${seq}}`;
const frame = (seq: number): string => `42["head",${head(seq)}]`;
const hears = (what: string, { frames }: Client, count: number) =>
  until(LIMIT_MS, `${what}: ${count} frames`, () => frames.length >= count);

let redis: TestRedis;
let owner: Node;
let relay: Node;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.dispose());
beforeEach(async () => {
  owner = await Node.start(redis.url);
});
afterEach(async () => {
  await owner.stop();
});

describe('with a relay', () => {
  beforeEach(async () => {
    relay = await Node.start(redis.url);
  });
  afterEach(() => relay.stop());

  it('B7: a relayed client receives, byte for byte, what one at the owner does', async () => {
    const [here, there] = [await owner.client(), await relay.client()];
    here.channel.join('board');
    await there.channel.joinRelayed('board');
    const payload =
      '{"document":"board","entries":[{"b":1e21,"1":-0,"z":1.50,"0":"é\\"\\\\\\u2028\u2028 😀","__proto__":[{}],"jsonText":"x"}]}';
    for (const event of ['entries', 'presence', 'head'] as const) {
      owner.fanOut.deliver('board', event, payload);
      owner.fanOut.publish('board', event, payload);
    }
    await hears('here', here, 3);
    await hears('there', there, 3);
    expect(there.frames).toEqual(['entries', 'presence', 'head'].map((event) => `42["${event}",${payload}]`));
    expect(there.frames).toEqual(here.frames);
  });

  it('E3: a relayed client that does not read gets no presence, those beside it do, and it gets the entries', async () => {
    const [slow, beside] = [await relay.client(), await relay.client()];
    for (const { channel } of [slow, beside]) await channel.joinRelayed('board');
    slow.peer.pause();
    let sent = 0;
    const large = `{"document":"board","entries":["${'x'.repeat(256 * 1024)}"]}`;
    while (slow.channel.bufferedBytes() <= 64 * 1024) {
      owner.fanOut.publish('board', 'entries', large);
      await hears('beside', beside, ++sent);
    }
    owner.fanOut.publish('board', 'presence', '{"n":1}');
    owner.fanOut.publish('board', 'entries', '{"n":2}');
    await hears('beside', beside, sent + 2);
    slow.peer.resume();
    await hears('slow', slow, sent + 1);
    owner.fanOut.publish('board', 'presence', '{"n":3}');
    await hears('slow', slow, sent + 2);
    expect(slow.frames.slice(sent)).toEqual(['42["entries",{"n":2}]', '42["presence",{"n":3}]']);
    expect(beside.frames.slice(sent)).toHaveLength(3);
  });

  it('B7: what is published reaches the relays of that document and nobody else, whatever it is called', async () => {
    const bystander = await Node.start(redis.url);
    const [here, there, aside] = [await owner.client(), await relay.client(), await bystander.client()];
    const ids = Array.from({ length: 128 }, (_, n) => 'x'.repeat(n + 1));
    await aside.channel.joinRelayed('other');
    for (const id of ids) {
      here.channel.join(id);
      aside.channel.join(id);
      await there.channel.joinRelayed(id);
    }
    await redis.forget();
    for (const id of ids) owner.fanOut.publish(id, 'head', `{"document":"${id}","seq":1}`);
    await hears('there', there, ids.length);
    expect(there.frames).toEqual(ids.map((id) => `42["head",{"document":"${id}","seq":1}]`));
    expect((await redis.commands()).get('spublish')).toBe(ids.length);
    owner.fanOut.publish('other', 'head', head(1));
    await hears('aside', aside, 1);
    expect([here.frames, aside.frames]).toEqual([[], [frame(1)]]);
    expect(bystander.links.frames.counts.heard).toBe(1);
    await bystander.stop();
  });

  it('B7: who has left hears nothing, and the last one to leave takes the subscription along', async () => {
    const [one, two] = [await relay.client(), await relay.client()];
    for (const { channel } of [one, two]) await channel.joinRelayed('board');
    one.channel.leave('board');
    owner.fanOut.publish('board', 'head', head(1));
    await hears('the other', two, 1);
    expect(one.frames).toEqual([]);
    two.peer.terminate();
    await until(LIMIT_MS, 'nobody to be subscribed', async () => !(await channels()).includes('r:board'));
    // A late join of a socket that is gone would stay for ever.
    await two.channel.joinRelayed('board');
    expect(await channels()).not.toContain('r:board');
  });

  it('B2: what is not sealed with the key of the cluster reaches no client', async () => {
    const there = await relay.client();
    await there.channel.joinRelayed('board');
    const channel = (await channels()).split('\r\n').find((line) => line.includes('r:board'))!;
    const stranger = new Redis(redis.url);
    const packet = { type: 2, nsp: '/', data: ['head', { document: 'board', seq: 666 }] };
    const opts = { rooms: [relayRoomOf('board')], except: [], flags: {} };
    const message = JSON.stringify({ type: 3, uid: 'stranger', nsp: '/', data: { packet, opts } });
    expect(await stranger.spublish(channel, message)).toBe(1);
    const otherKey = await Node.start(redis.url, NAMESPACE, clusterKey(undefined, NAMESPACE));
    const otherCluster = await Node.start(redis.url, 'other', KEY);
    for (const { fanOut } of [otherKey, otherCluster, owner]) fanOut.publish('board', 'head', head(1));
    await until(LIMIT_MS, 'what was sent', () => relay.links.frames.counts.heard === 3);
    await hears('ours', there, 1);
    expect(there.frames).toEqual([frame(1)]);
    expect(relay.warned[0]).toMatch(/without the seal of this cluster .* AUTH_SECRET/);
    for (const node of [otherKey, otherCluster]) await node.stop();
    stranger.disconnect();
  });

  it('B6: Redis goes away and comes back empty: the process lives, and rooms of before and of meanwhile are heard', async () => {
    const there = await relay.client();
    await there.channel.joinRelayed('before');
    await redis.kill();
    await until(LIMIT_MS, 'the loss to be noticed', () => !relay.links.isUp && !owner.links.isUp);
    await expect(there.channel.joinRelayed('refused')).rejects.toThrow(BusFailed);
    const joined = there.socket.join(relayRoomOf('meanwhile')) as Promise<void>;
    await expect(joined).rejects.toThrow(BusFailed);
    expect(() => owner.fanOut.publish('before', 'head', head(0))).not.toThrow();
    await redis.restart();
    await until(LIMIT_MS, 'both rooms to be subscribed', async () => {
      const subscribed = await channels();
      return subscribed.includes('r:before') && subscribed.includes('r:meanwhile');
    });
    await until(LIMIT_MS, 'Redis to be back', () => relay.links.isUp && owner.links.isUp);
    await there.channel.joinRelayed('after');
    for (const id of ['before', 'refused', 'meanwhile', 'after'])
      owner.fanOut.publish(id, 'head', `{"document":"${id}"}`);
    await hears('there', there, 3);
    expect(there.frames).toEqual(['before', 'meanwhile', 'after'].map((id) => `42["head",{"document":"${id}"}]`));
  });

  async function channels(): Promise<string> {
    return redis.say('PUBSUB SHARDCHANNELS');
  }
});

describe('over a slow link', () => {
  let proxy: TcpProxy;
  let there: Client;
  beforeEach(async () => {
    proxy = await TcpProxy.to(redis.port);
    relay = await Node.start(`redis://127.0.0.1:${proxy.port}`);
    there = await relay.client();
    proxy.delayMs = 30;
  });
  afterEach(async () => {
    await relay.stop();
    await proxy.close();
  });

  it('B5: the first frame after `joinRelayed` arrives', async () => {
    for (let n = 0; n < 5; n++) {
      await there.channel.joinRelayed(`board ${n}`);
      owner.fanOut.publish(`board ${n}`, 'head', head(n));
    }
    await hears('there', there, 5);
    expect(there.frames).toEqual([0, 1, 2, 3, 4].map(frame));
  });

  it('B5: the first frame after a join that nobody waits for is lost', async () => {
    void there.socket.join(relayRoomOf('board'));
    // As long as it takes to ask the owner over another connection.
    await owner.links.frames.publish('elsewhere', Buffer.from('x'));
    owner.fanOut.publish('board', 'head', head(1));
    await there.channel.joinRelayed('board');
    owner.fanOut.publish('board', 'head', head(2));
    await hears('there', there, 1);
    expect(there.frames).toEqual([frame(2)]);
  });
});

describe('at the owner', () => {
  it('B8: what is delivered here does not wait for a Redis that hangs, nor does who publishes', async () => {
    const here = await owner.client();
    here.channel.join('board');
    redis.stop();
    try {
      for (let seq = 1; seq <= 50; seq++) {
        owner.fanOut.deliver('board', 'head', head(seq));
        owner.fanOut.publish('board', 'head', head(seq));
      }
      await hears('here', here, 50);
      expect(here.frames).toEqual(Array.from({ length: 50 }, (_, n) => frame(n + 1)));
      expect(owner.links.frames.counts.published).toBe(0);
      await until(LIMIT_MS, 'what was published to be given up', () => owner.links.frames.counts.failed === 50);
      expect(owner.warned.length).toBeLessThan(5);
    } finally {
      redis.cont();
    }
  });

  it('B8: what a plain `io.to` sends waits for Redis, and is overtaken', async () => {
    const here = await owner.client();
    here.channel.join('board');
    redis.stop();
    try {
      owner.io.to(roomOf('board')).emit('head', { document: 'board', seq: 1 as never });
      owner.fanOut.deliver('board', 'head', head(2));
      await hears('here', here, 2);
      expect(here.frames).toEqual([frame(2), frame(1)]);
    } finally {
      redis.cont();
    }
  });

  it('B9: a document that nobody relays costs no command of Redis: not to open it, and not for what is written', async () => {
    const commands: string[] = [];
    const monitor = await new Redis(redis.url).monitor();
    monitor.on('monitor', (_at: string, [command, key]: string[]) => {
      // The beat of the links goes on.
      const isBeat = command === 'ping' || (command === 'sunsubscribe' && key?.startsWith('{'));
      if (!isBeat) commands.push(`${command} ${key?.trim()}`);
    });
    const [one, two] = [await owner.client(), await owner.client()];
    for (const { channel } of [one, two]) channel.join('board');
    for (let seq = 1; seq <= 200; seq++) owner.fanOut.deliver('board', 'head', head(seq));
    for (const client of [one, two]) await hears('here', client, 200);
    one.channel.leave('board');
    two.peer.terminate();
    await until(LIMIT_MS, 'the room to be gone', () => !owner.io.of('/').adapter.rooms.has(roomOf('board')));
    // What was asked before on either connection was seen before these two.
    owner.links.frames.subscribe('last', () => {});
    await owner.links.frames.subscribed('last');
    await owner.links.frames.publish('last', Buffer.from('x'));
    await until(LIMIT_MS, 'the last two', () => commands.length >= 2);
    expect(commands).toEqual(['ssubscribe last', 'spublish last']);
    monitor.disconnect();
  });
});

describe('over a Redis Cluster', () => {
  let cluster: TestRedisCluster;
  let there: Client;
  let source: Node;
  beforeEach(async () => {
    cluster = await TestRedisCluster.start();
    source = await Node.start(cluster.url);
    relay = await Node.start(cluster.url);
    there = await relay.client();
  });
  afterEach(async () => {
    await source.stop();
    await relay.stop();
    await cluster.dispose();
  });

  it('B5 B7: every first frame arrives, whichever shard carries its document', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `board-${n}`);
    for (const id of ids) {
      await there.channel.joinRelayed(id);
      source.fanOut.publish(id, 'head', `{"document":"${id}"}`);
    }
    await hears('there', there, ids.length);
    expect(there.frames.toSorted()).toEqual(ids.map((id) => `42["head",{"document":"${id}"}]`).toSorted());
    for (const node of cluster.nodes) expect((await node.commands()).get('spublish')).toBeGreaterThan(0);
  });
});
