/**
 * The bus over Redis: one channel for each node, on which it is asked and answered, and one for notices to all.
 *
 *   ask     question {id} ──> node's channel ──> listener.answer ──> answer {id} ──> asker's channel
 *   tell    notice ──> node's channel, or everybody's
 *
 * A question fails at once where Redis is known to be away or nobody listens on the channel. Whatever comes in is looked
 * at in this order, and dropped and counted where it fails: is it sealed with the cluster's key, is it well formed, is
 * it another node's, is it fresh. The namespace is in the names of the channels and in the key: two clusters on one
 * Redis do not hear each other.
 */
import { Bus, BUS_MESSAGE_BYTES_MAX, BusFailed, type BusListener, type BusMessage } from '@homeport/core';
import { reasonOf } from './connections.js';
import { envelopeText, readEnvelope, type Envelope } from './envelope.js';
import { Questions } from './questions.js';
import type { RedisLink } from './redis-link.js';
import { NOT_SEALED, Seal } from './seal.js';

/** Machines' clocks must agree by that much. What is older may be somebody's recording. */
const AGE_MS_MAX = 30_000;

export interface BusCounts {
  /** Redis took them. */
  readonly sent: { readonly [kind in Envelope['kind']]: number };
  /** How questions of this node ended. */
  readonly questions: { readonly answered: number; readonly failed: number };
  readonly dropped: {
    /** Came in, and was not sealed with our key. */
    readonly forged: number;
    readonly malformed: number;
    readonly own: number;
    readonly stale: number;
    /** Answers to a question that had ended. */
    readonly late: number;
    /** Notices that were not sent: too large, or Redis was away. */
    readonly untold: number;
  };
}

export class RedisBus extends Bus {
  readonly #link: RedisLink;
  readonly #seal: Seal;
  readonly #prefix: string;
  readonly #questions = new Questions();
  readonly #sent = { notice: 0, question: 0, answer: 0, failure: 0 };
  readonly #ended = { answered: 0, failed: 0 };
  readonly #dropped = { forged: 0, malformed: 0, own: 0, stale: 0, late: 0, untold: 0 };
  #me: string | undefined;
  #listener: BusListener | undefined;

  constructor(link: RedisLink, namespace: string, key: Buffer) {
    super();
    this.#link = link;
    this.#seal = new Seal(key);
    this.#prefix = `homeport:${namespace}`;
  }

  get counts(): BusCounts {
    return { sent: { ...this.#sent }, questions: { ...this.#ended }, dropped: { ...this.#dropped } };
  }

  override get isUp(): boolean {
    return this.#link.isUp;
  }

  override async listen(me: string, listener: BusListener): Promise<void> {
    if (this.#me !== undefined) throw new Error(`this bus listens as ${this.#me} already`);
    this.#me = me;
    this.#listener = listener;
    try {
      const channels = this.#mine;
      for (const channel of channels)
        this.#link.subscribe(channel, (message) => this.#receive(channel, message, listener));
      await Promise.all(channels.map((channel) => this.#link.subscribed(channel)));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  override async ask(node: string, question: BusMessage, deadlineMs: number): Promise<BusMessage> {
    try {
      const answer = await this.#ask(node, question, deadlineMs);
      this.#ended.answered++;
      return answer;
    } catch (error) {
      this.#ended.failed++;
      throw error;
    }
  }

  override tell(notice: BusMessage, node?: string): void {
    const channel = node === undefined ? this.#channelOfAll : this.#channelOf(node);
    this.#send(channel, 'notice', 0, notice).catch(() => this.#dropped.untold++);
  }

  /** Of the links: Redis is away, and answers with it; or what the bus, or the frames of documents, go over is back. */
  changed(redis: 'away' | 'back'): void {
    if (redis === 'away') this.#questions.failAll('Redis is away');
    else if (this.isUp) this.#listener?.back();
  }

  /** Nobody is heard or answered any more. */
  close(): void {
    for (const channel of this.#mine) this.#link.unsubscribe(channel);
    this.#questions.failAll('the bus is closed');
    this.#me = undefined;
    this.#listener = undefined;
  }

  #ask(node: string, question: BusMessage, deadlineMs: number): Promise<BusMessage> {
    if (node === this.#me) return Promise.reject(new BusFailed('a node does not ask itself'));
    if (!this.isUp) return Promise.reject(new BusFailed('Redis is away'));
    const { id, answer } = this.#questions.ask(node, deadlineMs);
    this.#send(this.#channelOf(node), 'question', id, question).then(
      // Of a Redis Cluster, only those on the channel's shard are counted, and there all its subscribers are.
      (receivers) => receivers === 0 && this.#questions.fail(id, node, 'nobody listens'),
      (error: unknown) => this.#questions.fail(id, node, reasonOf(error)),
    );
    return answer;
  }

  /** Never throws: what comes in is anybody's. */
  #receive(channel: string, message: Buffer, listener: BusListener): void {
    const body = this.#seal.open(channel, message);
    if (body === undefined) return this.#drop('forged', NOT_SEALED);
    const envelope = readEnvelope(body);
    if (envelope === undefined) return this.#drop('malformed');
    if (envelope.from === this.#me) return this.#drop('own');
    const ageMs = Date.now() - envelope.at;
    if (Math.abs(ageMs) > AGE_MS_MAX)
      return this.#drop('stale', `a message of ${envelope.from} was dropped, ${ageMs} ms old: do the clocks agree?`);
    this.#deliver(envelope, listener);
  }

  #deliver({ from, kind, id, body }: Envelope, listener: BusListener): void {
    switch (kind) {
      case 'notice':
        listener.hear(body, from);
        return;
      case 'question':
        void this.#answer(from, id, body, listener);
        return;
      case 'answer':
        if (!this.#questions.answer(id, from, body)) this.#drop('late');
        return;
      case 'failure':
        if (!this.#questions.fail(id, from, whyOf(body))) this.#drop('late');
        return;
    }
  }

  /** Never rejects: an answer that can not be sent is one that was lost. */
  async #answer(asker: string, id: number, question: BusMessage, listener: BusListener): Promise<void> {
    const channel = this.#channelOf(asker);
    try {
      await this.#send(channel, 'answer', id, await listener.answer(question, asker));
    } catch (error) {
      await this.#send(channel, 'failure', id, { why: reasonOf(error) }).catch(() => {});
    }
  }

  /** Answers to how many it was handed. Rejects with why it was not, as far as that is known. */
  async #send(channel: string, kind: Envelope['kind'], id: number, body: BusMessage): Promise<number> {
    if (this.#me === undefined) throw new BusFailed('this bus does not listen yet');
    const bodyText = JSON.stringify(body);
    if (Buffer.byteLength(bodyText) > BUS_MESSAGE_BYTES_MAX)
      throw new BusFailed(`the ${kind} is larger than ${BUS_MESSAGE_BYTES_MAX} bytes`);
    const text = envelopeText({ from: this.#me, at: Date.now(), kind, id }, bodyText);
    const receivers = await this.#link.publish(channel, this.#seal.seal(channel, text));
    this.#sent[kind]++;
    return receivers;
  }

  #drop(why: keyof BusCounts['dropped'], warning?: string): void {
    this.#dropped[why]++;
    if (warning !== undefined) this.#link.warn(warning);
  }

  #channelOf(node: string): string {
    return `${this.#prefix}:node:${node}`;
  }

  get #channelOfAll(): string {
    return `${this.#prefix}:all`;
  }

  /** What this node is reached by. */
  get #mine(): readonly string[] {
    return this.#me === undefined ? [] : [this.#channelOf(this.#me), this.#channelOfAll];
  }
}

function whyOf({ why }: BusMessage): string {
  return typeof why === 'string' ? why : 'it failed';
}
