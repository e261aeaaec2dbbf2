/**
 * Rooms across nodes: Socket.IO's sharded Redis adapter, for the rooms of relayed documents and for nothing else.
 *
 *   owner    io.to(relay room).emit ──> adapter ──> publish, sealed ──> the room's channel
 *   relay    the room's channel ──> opened ──> adapter ──> the sockets of the room on this node
 *
 * The adapter gets, in place of a Redis client, a link that knows what is ours. It subscribes to no channel but those of
 * relay rooms: documents that are served where their sessions are cost nothing in Redis, and the channels by which nodes
 * could make each other's sockets join, leave or tell about themselves do not exist. It takes no message that is not
 * sealed: the adapter believes whatever comes in. And `join` resolves when the room is heard, which the adapter does not
 * wait for: the first frames after an `open` would be lost.
 */
import { BusFailed } from '@homeport/core';
import { NOT_SEALED, Seal, type RedisLink } from '@homeport/redis';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import type { Namespace } from 'socket.io';
import { behindIn } from './buffered-bytes.js';
import { isRelayRoom } from './room.js';

/** For `Server.adapter`. `namespace`, `key`: of the cluster; only who shares both is heard. */
export function relayAdapter(link: RedisLink, namespace: string, key: Buffer): (io: Namespace) => Namespace['adapter'] {
  const prefix = `homeport:${namespace}:rooms`;
  // Socket.IO calls this with `new`, which an arrow function does not take.
  return function makeAdapter(io) {
    const rooms = new RoomLink(link, new Seal(key), `${prefix}#${io.name}#`);
    const adapter = createShardedAdapter(rooms, rooms, { channelPrefix: prefix, subscriptionMode: 'dynamic' })(io);
    const addAll = adapter.addAll.bind(adapter);
    // What this answers is what `socket.join` answers.
    adapter.addAll = (socket, joined) => {
      void addAll(socket, joined);
      const relayed = [...joined].filter(isRelayRoom);
      return relayed.length === 0 ? undefined : rooms.heard(relayed);
    };
    const { onMessage } = adapter as unknown as Hearing;
    (adapter as unknown as Hearing).onMessage = (message) => {
      const { opts, packet } = message.data ?? {};
      // What is published knows nothing of the sockets here: those that are behind get no presence, as at the owner.
      if (opts && packet?.data?.[0] === 'presence') opts.except = opts.rooms.flatMap((room) => behindIn(room, io));
      onMessage.call(adapter, message);
    };
    return adapter;
  };
}

/** A part of Socket.IO's cluster adapter (2.5) that its types keep to subclasses: where messages of other nodes come in. */
interface Hearing {
  onMessage(message: {
    readonly data?: {
      readonly opts?: { readonly rooms: readonly string[]; except: readonly string[] };
      readonly packet?: { readonly data?: readonly unknown[] };
    };
  }): void;
}

/** What the adapter asks of a Redis client, by the names that node-redis gives it. */
class RoomLink {
  constructor(
    private readonly link: RedisLink,
    private readonly seal: Seal,
    /** Of the channel of a room; the name follows, then `#`. */
    private readonly start: string,
  ) {}

  /** What fails is counted and told by the link, and swallowed by the adapter. */
  sPublish(channel: string, message: string): Promise<number> {
    return this.link.publish(channel, this.seal.seal(channel, message));
  }

  sSubscribe(channel: string, hear: (message: Buffer, channel: string) => void): void {
    if (!this.#isOfRelayRoom(channel)) return;
    this.link.subscribe(channel, (message) => {
      const body = this.seal.open(channel, message);
      if (body) hear(body, channel);
      else this.link.warn(NOT_SEALED);
    });
  }

  sUnsubscribe(channel: string): void {
    if (this.#isOfRelayRoom(channel)) this.link.unsubscribe(channel);
  }

  /** Resolves when what is published to these rooms is heard. Rejects with `BusFailed`. */
  async heard(rooms: readonly string[]): Promise<void> {
    if (!this.link.isUp) throw new BusFailed('Redis is away');
    await Promise.all(rooms.map((room) => this.link.subscribed(`${this.start}${room}#`)));
  }

  #isOfRelayRoom(channel: string): boolean {
    return channel.startsWith(this.start) && isRelayRoom(channel.slice(this.start.length));
  }
}
