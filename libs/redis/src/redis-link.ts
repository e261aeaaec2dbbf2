/**
 * A way to publish and one to hear, over a pair of connections of their own.
 *
 * Sharded channels (SPUBLISH, SSUBSCRIBE): a message reaches only the connections that asked for its channel, and in a
 * Redis Cluster only the shard that the channel hashes to. Delivery is at most once, and in order while nothing breaks.
 *
 * What may happen meanwhile: Redis goes away, hangs, comes back empty. A message published then is lost, and its sender
 * is told when that is known. What was subscribed stays so: ioredis subscribes again on a new connection, before
 * anything that was asked for later. A beat asks something on both connections, so that one that is dead and does not say
 * so is found, given up and made anew, and `isUp` means "was heard of lately", not "was not closed". What was heard on a
 * connection that is gone does not count: when Redis is up again, everything is subscribed again.
 */
import { BusFailed } from '@homeport/core';
import { Cluster } from 'ioredis';
import { establish, inspect, publisherTo, reasonOf, subscriberTo, type Connection } from './connections.js';
import type { RedisAddress } from './redis-address.js';
import type { Warnings } from './warnings.js';

export type Hear = (message: Buffer) => void;
/** `back`: it can be used again; a break may have been shorter than it takes to notice it in another way. */
export type Watch = (redis: 'away' | 'back') => void;

export interface LinkCounts {
  readonly published: number;
  /** Were not sent, or nobody knows: no answer came. */
  readonly failed: number;
  readonly heard: number;
  /** How often Redis came back. */
  readonly returns: number;
}

const BEAT_MS = 250;
/** Connected, or not begun to connect: asking begins it. At any other time what is asked would lie in a queue without a bound. */
const ASKED_AT: ReadonlySet<string> = new Set(['ready', 'wait']);
/** A Redis that hangs is noticed before a client that waits for it would think that this node does. */
const UP_MS = 1_500;
/** A subscription that was not confirmed by then is not waited for; it stays asked for. */
const SUBSCRIBED_MS = 1_500;
/**
 * The subscriber of a Redis Cluster that is connected and answers nothing for so long is replaced: one that loses all servers
 * while it connects to them may wait for ever for a connection that it has thrown away (ioredis 6.0).
 */
const STUCK_MS = 2_500;
/** Published and not yet answered. More is not sent: Redis hangs or is too slow, and what lies here gets only older. */
const UNANSWERED_BYTES_MAX = 16 * 1024 * 1024;

export class RedisLink {
  readonly #address: RedisAddress;
  readonly #publisher: Connection;
  #subscriber: Connection;
  readonly #warnings: Warnings;
  readonly #beat: NodeJS.Timeout;
  readonly #hear = new Map<string, Hear>();
  /** The answers to SSUBSCRIBE, of the present connection only: with it go the subscriptions. */
  readonly #confirmed = new Map<string, Promise<void>>();
  /** Subscriptions that Redis refused, or could not be asked for: that is done again at each beat. */
  readonly #unasked = new Set<string>();
  #round = this.#hear.keys();
  #touching: Promise<void> | undefined;
  #unansweredBytes = 0;
  #publisherHeardMs = performance.now();
  #subscriberHeardMs = performance.now();
  #subscriberReadyMs = performance.now();
  #watch: Watch = () => {};
  #wasUp = true;
  #isClosed = false;
  readonly #counts = { published: 0, failed: 0, heard: 0, returns: 0 };

  private constructor(address: RedisAddress, warnings: Warnings) {
    this.#address = address;
    this.#warnings = warnings;
    this.#publisher = this.#newPublisher();
    this.#subscriber = this.#newSubscriber();
    this.#beat = setInterval(() => this.#check(), BEAT_MS).unref();
  }

  /** Rejects, and nothing left running, where there is no Redis that we can use. */
  static async open(address: RedisAddress, warnings: Warnings): Promise<RedisLink> {
    const link = new RedisLink(address, warnings);
    try {
      await Promise.all([link.#publisher, link.#subscriber].map((connection) => establish(connection, address)));
      await inspect(link.#publisher, address);
      link.#wasUp = link.isUp;
      link.#counts.returns = 0;
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

  /** Who is told from now on when that changes. */
  watch(watch: Watch): void {
    this.#watch = watch;
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
    if (this.#unasked.delete(channel)) return;
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
    } catch (error) {
      throw error instanceof BusFailed ? error : new BusFailed(reasonOf(error));
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

  #newPublisher(): Connection {
    const publisher = this.#heeded(publisherTo(this.#address));
    publisher.on('ready', () => this.#check());
    publisher.on('close', () => {
      this.#publisherHeardMs = -Infinity;
      this.#look();
    });
    return publisher;
  }

  #newSubscriber(): Connection {
    const subscriber = this.#heeded(subscriberTo(this.#address));
    subscriber.on('ready', () => {
      this.#subscriberReadyMs = performance.now();
      this.#check();
    });
    for (const event of ['close', '-node', '-subscriber'])
      subscriber.on(event, () => {
        if (subscriber === this.#subscriber) this.#deaf();
      });
    subscriber.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      this.#counts.heard++;
      this.#hear.get(channel.toString())?.(message);
    });
    return subscriber;
  }

  /** `error` without a listener would end the process. A Cluster tells of its nodes by the two others. */
  #heeded(connection: Connection): Connection {
    for (const event of ['error', 'node error', 'nodeError'])
      connection.on(event, (error: unknown) => this.#complain('Redis can not be reached', error));
    return connection;
  }

  /** What was subscribed is gone with its connection; what was asked on it may never be answered. */
  #deaf(): void {
    this.#confirmed.clear();
    this.#touching = undefined;
    this.#subscriberHeardMs = -Infinity;
    this.#look();
  }

  get #canAsk(): boolean {
    return ASKED_AT.has(this.#subscriber.status);
  }

  get #isStuck(): boolean {
    const sinceMs = Math.max(this.#subscriberHeardMs, this.#subscriberReadyMs);
    const { status } = this.#subscriber;
    return this.#subscriber instanceof Cluster && status === 'ready' && performance.now() - sinceMs > STUCK_MS;
  }

  #replaceSubscriber(): void {
    this.#subscriber.disconnect();
    this.#subscriber = this.#newSubscriber();
    this.#subscriberReadyMs = performance.now();
    this.#deaf();
    for (const channel of this.#hear.keys()) void this.#confirm(channel);
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
      if (this.#unasked.has(channel)) throw new BusFailed('Redis refused to subscribe us');
      if (this.#confirmed.get(channel) === confirmed) return;
    }
  }

  /** Never rejects. */
  #confirm(channel: string): Promise<void> {
    if (!this.#canAsk) {
      this.#unasked.add(channel);
      return Promise.resolve();
    }
    this.#unasked.delete(channel);
    const confirmed = this.#subscriber.ssubscribe(channel).then(
      () => {},
      (error: unknown) => {
        if (this.#confirmed.get(channel) === confirmed) this.#confirmed.delete(channel);
        if (this.#hear.has(channel)) this.#unasked.add(channel);
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
    this.#look();
  }

  #check(): void {
    if (this.#isStuck) this.#replaceSubscriber();
    if (this.#canAsk) for (const channel of [...this.#unasked]) void this.#confirm(channel);
    this.#publisher.ping().then(
      () => {
        this.#publisherHeardMs = performance.now();
        this.#look();
      },
      () => {},
    );
    this.#look();
    // One at a time.
    if (this.#touching !== undefined || !this.#canAsk) return;
    const touching = this.#touch(this.#anyChannel()).catch(() => {});
    this.#touching = touching;
    void touching.then(() => {
      if (this.#touching === touching) this.#touching = undefined;
    });
  }

  #look(): void {
    const { isUp } = this;
    if (isUp === this.#wasUp || this.#isClosed) return;
    this.#wasUp = isUp;
    if (isUp) this.#counts.returns++;
    this.#watch(isUp ? 'back' : 'away');
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
