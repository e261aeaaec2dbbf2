/** What every `Bus` must do. */
import { BUS_MESSAGE_BYTES_MAX, BusFailed, type Bus, type BusListener, type BusMessage } from '@homeport/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface Buses {
  /** The bus of one more node. */
  connect(): Promise<Bus>;
  /** The bus is away, and everybody knows it soon. */
  lose(): Promise<void>;
  /** It is back. */
  restore(): Promise<void>;
  close(): Promise<void>;
  /** Waits for something that comes by itself. */
  until(what: string, holds: () => boolean): Promise<void>;
}

/** Long enough for an answer that comes. */
const LONG_MS = 10_000;
const SHORT_MS = 100;

/** Keeps what it hears, and answers what `answer` says. */
class Listener implements BusListener {
  readonly heard: { readonly notice: BusMessage; readonly from: string }[] = [];
  readonly asked: { readonly question: BusMessage; readonly from: string }[] = [];
  returns = 0;

  constructor(readonly reply: (question: BusMessage) => Promise<BusMessage> = async (question) => question) {}

  answer(question: BusMessage, from: string): Promise<BusMessage> {
    this.asked.push({ question, from });
    return this.reply(question);
  }

  hear(notice: BusMessage, from: string): void {
    this.heard.push({ notice, from });
  }

  back(): void {
    this.returns++;
  }
}

/** `make`: a bus on which nobody is yet, at each call. */
export function describeBus(name: string, make: () => Promise<Buses>): void {
  describe(`${name} as a Bus`, () => {
    let buses: Buses;
    let alice: Bus;
    let bob: Bus;
    let carol: Bus;
    const ears = { alice: new Listener(), bob: new Listener(), carol: new Listener() };

    beforeEach(async () => {
      buses = await make();
      [alice, bob, carol] = [await buses.connect(), await buses.connect(), await buses.connect()];
      Object.assign(ears, { alice: new Listener(), bob: new Listener(), carol: new Listener() });
      await alice.listen('alice.1', ears.alice);
      await bob.listen('bob.1', ears.bob);
      await carol.listen('carol.1', ears.carol);
    });
    afterEach(() => buses.close());

    it('B1: a question is answered by the node that was asked, and by no other', async () => {
      const question = { kind: 'heads', documents: ['a', 'ü€😀'], deep: { n: -0.5, nothing: null } };
      expect(await alice.ask('bob.1', question, LONG_MS)).toEqual(question);
      expect(ears.bob.asked).toEqual([{ question, from: 'alice.1' }]);
      expect([...ears.alice.asked, ...ears.carol.asked]).toEqual([]);
    });

    it('B1: many questions at once, in all directions, each get their own answer', async () => {
      const asked = Array.from({ length: 200 }, (_, n) => {
        const [asker, node] = n % 2 === 0 ? [alice, 'bob.1'] : [bob, 'alice.1'];
        return asker.ask(node, { n }, LONG_MS);
      });
      expect(await Promise.all(asked)).toEqual(asked.map((_, n) => ({ n })));
    });

    it('B1: what others send is heard from when `listen` resolves', async () => {
      const [dave, ear] = [await buses.connect(), new Listener()];
      await dave.listen('dave.1', ear);
      alice.tell({ n: 1 });
      alice.tell({ n: 2 }, 'dave.1');
      expect(await alice.ask('dave.1', { n: 3 }, LONG_MS)).toEqual({ n: 3 });
      await buses.until('both notices', () => ear.heard.length === 2);
    });

    it('B1: a rejection of who was asked reaches the asker as one', async () => {
      const [dave, ear] = [await buses.connect(), new Listener(() => Promise.reject(new Error('not today')))];
      await dave.listen('dave.1', ear);
      const answer = alice.ask('dave.1', {}, LONG_MS);
      await expect(answer).rejects.toThrow(BusFailed);
      await expect(answer).rejects.toThrow(/not today/);
    });

    it('B1: there is an end when nobody is there, or nothing is answered', async () => {
      await expect(alice.ask('nobody.1', {}, SHORT_MS)).rejects.toThrow(BusFailed);
      const [dave, ear] = [await buses.connect(), new Listener(() => new Promise(() => {}))];
      await dave.listen('dave.1', ear);
      await expect(alice.ask('dave.1', {}, SHORT_MS)).rejects.toThrow(BusFailed);
      expect(ear.asked).toHaveLength(1);
    });

    it('B1: an answer that comes too late goes nowhere', async () => {
      let answerNow: (answer: BusMessage) => void = () => {};
      const slow = new Listener(() => new Promise((answered) => (answerNow = answered)));
      const dave = await buses.connect();
      await dave.listen('dave.1', slow);
      await expect(alice.ask('dave.1', {}, SHORT_MS)).rejects.toThrow(BusFailed);
      answerNow({ late: true });
      expect(await alice.ask('bob.1', { n: 1 }, LONG_MS)).toEqual({ n: 1 });
    });

    it('a notice reaches the one it is for, or all others, and not who tells it', async () => {
      alice.tell({ to: 'bob' }, 'bob.1');
      alice.tell({ to: 'all' });
      await buses.until('the notices', () => ears.bob.heard.length === 2 && ears.carol.heard.length === 1);
      expect(ears.carol.heard).toEqual([{ notice: { to: 'all' }, from: 'alice.1' }]);
      expect(ears.bob.heard).toContainEqual({ notice: { to: 'bob' }, from: 'alice.1' });
      // Its own notice would have come back before this.
      await bob.ask('alice.1', {}, LONG_MS);
      expect(ears.alice.heard).toEqual([]);
    });

    it('B1: what is too large is not sent, and what is not quite arrives', async () => {
      const sized = (bytes: number): BusMessage => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });
      expect(await alice.ask('bob.1', sized(BUS_MESSAGE_BYTES_MAX), LONG_MS)).toEqual(sized(BUS_MESSAGE_BYTES_MAX));
      await expect(alice.ask('bob.1', sized(BUS_MESSAGE_BYTES_MAX + 1), LONG_MS)).rejects.toThrow(BusFailed);
      alice.tell(sized(BUS_MESSAGE_BYTES_MAX + 1), 'bob.1');
      const [dave, ear] = [await buses.connect(), new Listener(async () => sized(BUS_MESSAGE_BYTES_MAX + 1))];
      await dave.listen('dave.1', ear);
      await expect(alice.ask('dave.1', {}, LONG_MS)).rejects.toThrow(BusFailed);
      expect([ears.bob.asked.length, ears.bob.heard.length]).toEqual([1, 0]);
    });

    it('B1: a node does not ask itself, nor before it listens', async () => {
      await expect(alice.ask('alice.1', {}, LONG_MS)).rejects.toThrow(BusFailed);
      const dave = await buses.connect();
      await expect(dave.ask('alice.1', {}, LONG_MS)).rejects.toThrow(BusFailed);
      dave.tell({});
      await alice.ask('bob.1', {}, LONG_MS);
      expect([ears.alice.asked.length, ears.alice.heard.length]).toEqual([0, 0]);
    });

    it('B1: while the bus is away questions fail at once and nobody is told; then everything is as before', async () => {
      expect([alice.isUp, ears.alice.returns]).toEqual([true, 0]);
      const dave = await buses.connect();
      await buses.lose();
      await buses.until('the loss to be noticed', () => !alice.isUp && !bob.isUp);
      await expect(alice.ask('bob.1', { n: 1 }, LONG_MS)).rejects.toThrow(BusFailed);
      alice.tell({ n: 2 });
      await expect(dave.listen('dave.1', new Listener())).rejects.toThrow(BusFailed);
      await buses.restore();
      await buses.until('the bus to be back', () => alice.isUp && bob.isUp && dave.isUp);
      await buses.until('everybody to be told', () => ears.alice.returns > 0 && ears.bob.returns > 0);
      await dave.listen('dave.1', new Listener());
      expect(await alice.ask('dave.1', { n: 0 }, LONG_MS)).toEqual({ n: 0 });
      expect(await alice.ask('bob.1', { n: 3 }, LONG_MS)).toEqual({ n: 3 });
      alice.tell({ n: 4 });
      await buses.until('the notice', () => ears.bob.heard.length > 0);
      expect([ears.bob.asked, ears.bob.heard]).toEqual([
        [{ question: { n: 3 }, from: 'alice.1' }],
        [{ notice: { n: 4 }, from: 'alice.1' }],
      ]);
    });
  });
}
