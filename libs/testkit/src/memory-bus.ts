/**
 * The bus between the nodes of one simulated world, and everything that can go wrong on it: messages are lost, doubled,
 * late, and overtake each other; two nodes do not hear each other; the whole of it is away.
 *
 * A question is heard once at most, as the port has it, and who repeats it makes another one; its answer may be doubled.
 *
 * What is set on the exchange counts for messages that are sent from then on, but for two: a message does not arrive
 * over a pair that was parted meanwhile, nor while the exchange is away. A question to where nobody listens may be known
 * to have found nobody, or not: who died may seem to listen for a while.
 */
import {
  Bus,
  BUS_MESSAGE_BYTES_MAX,
  BusFailed,
  type BusListener,
  type BusMessage,
  type Cancel,
  type Clock,
} from '@homeport/core';
import type { SeededRandom } from './seeded-random.js';

export interface BusWeather {
  /** Probability that a message is lost. */
  readonly loss: number;
  /** Probability that it arrives twice. */
  readonly doubling: number;
  /** Each arrives after a time of its own between the two, so that they overtake each other. */
  readonly latencyLowMs: number;
  readonly latencyHighMs: number;
  /** Probability that a question is not sent, and fails at once. */
  readonly refusal?: number;
}

const FAIR: BusWeather = { loss: 0, doubling: 0, latencyLowMs: 0.1, latencyHighMs: 1 };

export class MemoryExchange {
  weather: BusWeather = FAIR;
  readonly #listening = new Map<string, MemoryBus>();
  readonly #parted = new Set<string>();
  #isReachable = true;
  /** Messages that were not sent for their size. */
  tooLarge = 0;

  constructor(
    readonly clock: Clock,
    readonly random: SeededRandom,
  ) {}

  /** The bus of one process, on its clock. `arrive`: how what comes in reaches it; a process may be stopped, or dead. */
  connect(clock: Clock = this.clock, arrive: (event: () => void) => void = (event) => event()): MemoryBus {
    return new MemoryBus(this, clock, arrive);
  }

  get isReachable(): boolean {
    return this.#isReachable;
  }

  /** All of it is away: nothing arrives, and everybody knows. */
  stop(): void {
    this.#isReachable = false;
  }

  start(): void {
    if (this.#isReachable) return;
    this.#isReachable = true;
    for (const bus of this.#listening.values()) bus.back();
  }

  /** The two do not hear each other, and nobody tells them. */
  part(one: string, other: string): void {
    this.#parted.add(pairOf(one, other));
  }

  join(one: string, other: string): void {
    this.#parted.delete(pairOf(one, other));
  }

  joinAll(): void {
    this.#parted.clear();
  }

  /** Of the buses: who is heard as `me` from now on. */
  enter(me: string, bus: MemoryBus): void {
    this.#listening.set(me, bus);
  }

  leave(me: string, bus: MemoryBus): void {
    if (this.#listening.get(me) === bus) this.#listening.delete(me);
  }

  others(me: string): readonly string[] {
    return [...this.#listening.keys()].filter((node) => node !== me);
  }

  /** Carries a message, perhaps. `nobody`: it is known that nobody listens there. */
  carry(from: string, to: string, deliver: (receiver: MemoryBus) => void, nobody?: () => void): void {
    const { loss, doubling, latencyLowMs, latencyHighMs } = this.weather;
    if (this.random.chance(loss)) return;
    for (let copies = this.random.chance(doubling) ? 2 : 1; copies > 0; copies--)
      this.clock.after(this.random.between(latencyLowMs, latencyHighMs), () => {
        const receiver = this.#listening.get(to);
        if (!this.#isReachable || this.#parted.has(pairOf(from, to))) return;
        if (receiver) deliver(receiver);
        else if (nobody && this.random.chance(0.5)) nobody();
      });
  }
}

interface Question {
  readonly answered: (answer: BusMessage) => void;
  readonly failed: (why: string) => void;
  readonly cancelDeadline: Cancel;
}

export class MemoryBus extends Bus {
  readonly #questions = new Map<number, Question>();
  #lastId = 0;
  #me: string | undefined;
  #listener: BusListener | undefined;

  constructor(
    private readonly exchange: MemoryExchange,
    private readonly clock: Clock,
    private readonly arrive: (event: () => void) => void,
  ) {
    super();
  }

  override get isUp(): boolean {
    return this.exchange.isReachable;
  }

  override async listen(me: string, listener: BusListener): Promise<void> {
    if (this.#me !== undefined) throw new Error(`this bus listens as ${this.#me} already`);
    if (!this.isUp) throw new BusFailed('the bus is away');
    this.#me = me;
    this.#listener = listener;
    this.exchange.enter(me, this);
  }

  override ask(node: string, question: BusMessage, deadlineMs: number): Promise<BusMessage> {
    const me = this.#me;
    if (me === undefined) return Promise.reject(new BusFailed('this bus does not listen yet'));
    if (node === me) return Promise.reject(new BusFailed('a node does not ask itself'));
    if (!this.isUp) return Promise.reject(new BusFailed('the bus is away'));
    if (this.exchange.random.chance(this.exchange.weather.refusal ?? 0))
      return Promise.reject(new BusFailed('too much is unanswered'));
    const text = this.#textOf(question);
    if (text === undefined) return Promise.reject(new BusFailed('the question is too large'));
    const id = ++this.#lastId;
    return new Promise((answered, failed) => {
      const fail = (why: string): void => failed(new BusFailed(`${node}: ${why}`));
      const late = (): void => this.#end(id)?.failed(`no answer within ${deadlineMs} ms`);
      this.#questions.set(id, { answered, failed: fail, cancelDeadline: this.clock.after(deadlineMs, late) });
      let isHeard = false;
      const heard = (receiver: MemoryBus): void => {
        if (!isHeard) receiver.#asked(me, id, text);
        isHeard = true;
      };
      const nobody = (): void => this.arrive(() => this.#end(id)?.failed('nobody listens there'));
      this.exchange.carry(me, node, heard, nobody);
    });
  }

  override tell(notice: BusMessage, node?: string): void {
    const me = this.#me;
    const text = this.#textOf(notice);
    if (me === undefined || text === undefined || !this.isUp) return;
    for (const to of node === undefined ? this.exchange.others(me) : [node])
      if (to !== me) this.exchange.carry(me, to, (receiver) => receiver.#told(me, text));
  }

  /** Of the exchange: it can be used again. */
  back(): void {
    this.arrive(() => this.#listener?.back());
  }

  /** The process died: it is not heard, and hears nothing, any more. */
  cut(): void {
    if (this.#me !== undefined) this.exchange.leave(this.#me, this);
    for (const { cancelDeadline } of this.#questions.values()) cancelDeadline();
    this.#questions.clear();
  }

  #told(from: string, text: string): void {
    this.arrive(() => this.#listener?.hear(JSON.parse(text) as BusMessage, from));
  }

  #asked(from: string, id: number, text: string): void {
    this.arrive(() => void this.#answer(from, id, text));
  }

  async #answer(from: string, id: number, text: string): Promise<void> {
    const send = (deliver: (asker: MemoryBus) => void): void => this.exchange.carry(this.#me!, from, deliver);
    try {
      const answer = this.#textOf(await this.#listener!.answer(JSON.parse(text) as BusMessage, from));
      if (answer === undefined) throw new Error('the answer is too large');
      send((asker) => asker.arrive(() => asker.#end(id)?.answered(JSON.parse(answer) as BusMessage)));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      send((asker) => asker.arrive(() => asker.#end(id)?.failed(why)));
    }
  }

  /** As it travels; undefined: it is too large. */
  #textOf(message: BusMessage): string | undefined {
    const text = JSON.stringify(message);
    if (Buffer.byteLength(text) <= BUS_MESSAGE_BYTES_MAX) return text;
    this.exchange.tooLarge++;
    return undefined;
  }

  #end(id: number): Question | undefined {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    question?.cancelDeadline();
    return question;
  }
}

function pairOf(one: string, other: string): string {
  return [one, other].sort().join(' and ');
}
