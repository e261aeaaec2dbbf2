/**
 * A way to publish and one to hear, over a pair of connections of their own.
 *
 * Sharded channels (SPUBLISH, SSUBSCRIBE): a message reaches only the connections that asked for its channel, and in a
 * Redis Cluster only the shard that the channel hashes to. Delivery is at most once, and in order while nothing breaks.
 *
 * What may happen meanwhile: Redis goes away, hangs, comes back empty. A message published then is lost, and its sender
 * is told when that is known. What was subscribed stays so: ioredis subscribes again on a new connection, before
 * anything that was asked for later. A beat each second asks something on both connections, so that one that is dead
 * and does not say so is found, given up and made anew, and `isUp` means "was heard of lately", not "was not closed".
 */
import { BusFailed } from '@homeport/core';
import { establish, inspect, publisherTo, reasonOf, subscriberTo, type Connection } from './connections.js';
import type { RedisAddress } from './redis-address.js';
import type { Warnings } from './warnings.js';

export type Hear = (message: Buffer) => void;

export interface LinkCounts {
  readonly published: number;
  /** Were not sent, or nobody knows: no answer came. */
  readonly failed: number;
  readonly heard: number;
}

const BEAT_MS = 1_000;
const UP_MS = 2_500;
/** A subscription that was not confirmed by then is not waited for; it stays asked for. */
const SUBSCRIBED_MS = 2_000;
/** Published and not yet answered. More is not sent: Redis hangs or is too slow, and what lies here gets only older. */
const UNANSWERED_BYTES_MAX = 16 * 1024 * 1024;

export class RedisLink {
  readonly #publisher: Connection;
  readonly #subscriber: Connection;
  readonly #warnings: Warnings;
  readonly #beat: NodeJS.Timeout;
  readonly #hear = new Map<string, Hear>();
  /** The answers to SSUBSCRIBE, of the present connection only: with it go the subscriptions. */
  readonly #confirmed = new Map<string, Promise<void>>();
  /** Subscriptions that Redis refused, asked for again at each beat. */
  readonly #refused = new Set<string>();
  #round = this.#hear.keys();
  #isTouching = false;
  #unansweredBytes = 0;
  #publisherHeardMs = performance.now();
  #subscriberHeardMs = performance.now();
  #isClosed = false;
  readonly #counts = { published: 0, failed: 0, heard: 0 };

  private constructor(publisher: Connection, subscriber: Connection, warnings: Warnings) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#warnings = warnings;
    for (const connection of [publisher, subscriber]) {
      // `error` without a listener would end the process. A Cluster tells of its nodes by the two others.
      for (const event of ['error', 'node error', 'nodeError'])
        connection.on(event, (error: unknown) => this.#complain('Redis can not be reached', error));
      connection.on('ready', () => this.#check());
    }
    for (const event of ['close', '-node', '-subscriber']) subscriber.on(event, () => this.#confirmed.clear());
    subscriber.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      this.#counts.heard++;
      this.#hear.get(channel.toString())?.(message);
    });
    this.#beat = setInterval(() => this.#check(), BEAT_MS).unref();
  }

  /** Rejects, and nothing left running, where there is no Redis that we can use. */
  static async open(address: RedisAddress, warnings: Warnings): Promise<RedisLink> {
    const [publisher, subscriber] = [publisherTo(address), subscriberTo(address)];
    const link = new RedisLink(publisher, subscriber, warnings);
    try {
      await Promise.all([publisher, subscriber].map((connection) => establish(connection, address)));
      await inspect(publisher, address);
    } catch (error) {
      link.close();
      throw error;
    }
    return link;
  }

  /** Whether Redis was heard of lately, on both connections. */
  get isUp(): boolean {
    const sinceMs = performance.now() - UP_MS;
    return (
      this.#publisher.status === 'ready' &&
      this.#subscriber.status === 'ready' &&
      this.#publisherHeardMs > sinceMs &&
      this.#subscriberHeardMs > sinceMs
    );
  }

  get counts(): LinkCounts {
    return { ...this.#counts };
  }

  /**
   * Answers to how many it was handed. Rejects where it was not sent, or nobody knows whether it was; at once where
   * there is no connection, or too much is on its way.
   */
  async publish(channel: string, message: Buffer): Promise<number> {
    try {
      return await this.#send(channel, message);
    } catch (error) {
      this.#counts.failed++;
      this.#complain('a message was not published', error);
      throw error;
    }
  }

  /** From some moment on, and over every new connection, what is published on the channel is heard. */
  subscribe(channel: string, hear: Hear): void {
    this.#hear.set(channel, hear);
    void this.#confirm(channel);
  }

  unsubscribe(channel: string): void {
    this.#hear.delete(channel);
    this.#confirmed.delete(channel);
    this.#refused.delete(channel);
    this.#subscriber.sunsubscribe(channel).catch((error: unknown) => this.#complain('a channel was not left', error));
  }

  /**
   * Resolves when what is published from then on is heard. Rejects with `BusFailed` when that is not known in time; the
   * channel stays subscribed.
   */
  async subscribed(channel: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const tell = (): void => reject(new BusFailed(`Redis did not subscribe us within ${SUBSCRIBED_MS} ms`));
      timer = setTimeout(tell, SUBSCRIBED_MS);
    });
    try {
      await Promise.race([this.#prove(channel), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A line for the operator, among those about Redis: at most one of all of them a second. */
  warn(line: string): void {
    if (!this.#isClosed) this.#warnings.say(line);
  }

  /** Nothing is published or heard any more. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#beat);
    this.#hear.clear();
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }

  async #send(channel: string, message: Buffer): Promise<number> {
    if (this.#unansweredBytes + message.length > UNANSWERED_BYTES_MAX)
      throw new BusFailed('too much is on its way to Redis');
    this.#unansweredBytes += message.length;
    try {
      const receivers = await this.#publisher.spublish(channel, message);
      this.#counts.published++;
      return Number(receivers);
    } finally {
      this.#unansweredBytes -= message.length;
    }
  }

  /**
   * The subscription was answered, and so was something that was asked after this call, on the same connection. Without
   * the second an answer of old would count, on a connection that is gone and does not know it yet.
   */
  async #prove(channel: string): Promise<void> {
    for (;;) {
      if (!this.#hear.has(channel)) throw new BusFailed('the channel was left');
      const confirmed = this.#confirmed.get(channel) ?? this.#confirm(channel);
      await Promise.all([confirmed, this.#touch(channel)]);
      if (this.#refused.has(channel)) throw new BusFailed('Redis refused to subscribe us');
      if (this.#confirmed.get(channel) === confirmed) return;
    }
  }

  /** Never rejects. */
  #confirm(channel: string): Promise<void> {
    this.#refused.delete(channel);
    const confirmed = this.#subscriber.ssubscribe(channel).then(
      () => {},
      (error: unknown) => {
        if (this.#confirmed.get(channel) === confirmed) this.#confirmed.delete(channel);
        if (this.#hear.has(channel)) this.#refused.add(channel);
        this.#complain('a channel was not subscribed', error);
      },
    );
    this.#confirmed.set(channel, confirmed);
    return confirmed;
  }

  /**
   * A PING to the connection that carries the channel: answered after all that was asked before on it, even if it had to
   * be made anew meanwhile. A PING itself a Redis Cluster client sends anywhere; but that we leave a channel which we
   * never joined is answered, too, and this one hashes to where the other does.
   */
  async #touch(channel: string): Promise<void> {
    await this.#subscriber.sunsubscribe(`{${channel}}`);
    this.#subscriberHeardMs = performance.now();
  }

  #check(): void {
    for (const channel of [...this.#refused]) void this.#confirm(channel);
    this.#publisher.ping().then(
      () => (this.#publisherHeardMs = performance.now()),
      () => {},
    );
    // One at a time: while Redis is away it waits.
    if (this.#isTouching) return;
    this.#isTouching = true;
    const touched = (): void => {
      this.#isTouching = false;
    };
    this.#touch(this.#anyChannel()).then(touched, touched);
  }

  /** One after the other, so that every connection of a Redis Cluster has its turn. */
  #anyChannel(): string {
    const { value } = this.#round.next();
    if (value !== undefined) return value;
    this.#round = this.#hear.keys();
    return this.#round.next().value ?? 'none';
  }

  #complain(what: string, error: unknown): void {
    this.warn(`${what}: ${reasonOf(error)}`);
  }
}
