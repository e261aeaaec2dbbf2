/**
 * Redis, as a node uses it: as the bus between nodes, and to hand frames to relayed sessions. Nothing is stored in it,
 * and nothing that decides rests on it: what it loses is asked for again.
 *
 * Each of the two has a pair of connections of its own, so that large frames do not hold up questions.
 */
import { readRedisAddress } from './redis-address.js';
import { RedisBus } from './redis-bus.js';
import { RedisLink } from './redis-link.js';
import { Warnings } from './warnings.js';

export class RedisLinks {
  constructor(
    /** For what nodes ask and tell each other. */
    readonly questions: RedisLink,
    /** For the frames of relayed documents. */
    readonly frames: RedisLink,
  ) {}

  /** Whether Redis was heard of lately, on all connections. */
  get isUp(): boolean {
    return this.questions.isUp && this.frames.isUp;
  }

  /** `namespace`: who shares it, and the key (`clusterKey`), hears each other. */
  bus(namespace: string, key: Buffer): RedisBus {
    const bus = new RedisBus(this.questions, namespace, key);
    this.questions.watch((redis) => bus.changed(redis));
    // What was published meanwhile is lost, and so is what should have been heard.
    this.frames.watch((redis) => redis === 'back' && bus.changed(redis));
    return bus;
  }

  close(): void {
    this.questions.close();
    this.frames.close();
  }
}

/**
 * Rejects, with nothing left running and a line that names REDIS_URL, where there is no Redis that we can use. From then
 * on Redis may go away and come back; `warn` gets at most one line a second about it.
 */
export async function connectRedis(url: string, warn: (line: string) => void): Promise<RedisLinks> {
  const address = readRedisAddress(url);
  const warnings = new Warnings(warn);
  const bus = await RedisLink.open(address, warnings);
  try {
    return new RedisLinks(bus, await RedisLink.open(address, warnings));
  } catch (error) {
    bus.close();
    throw error;
  }
}
