import { BusFailed, type BusMessage } from '@homeport/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeBus } from './contracts/bus.contract.js';
import { FakeClock } from './fake-clock.js';
import { MemoryExchange, type MemoryBus } from './memory-bus.js';
import { SeededRandom } from './seeded-random.js';

describeBus('MemoryBus', async () => {
  const clock = new FakeClock();
  const exchange = new MemoryExchange(clock, new SeededRandom(1));
  const stop = clock.run();
  return {
    connect: async () => exchange.connect(),
    lose: async () => exchange.stop(),
    restore: async () => exchange.start(),
    close: stop,
    until: async (what, holds) => {
      for (let turns = 10_000; !holds(); turns--) {
        if (turns === 0) throw new Error(`did not come: ${what}`);
        await clock.settle();
      }
    },
  };
});

describe('MemoryBus, beside its contract', () => {
  let clock: FakeClock;
  let exchange: MemoryExchange;
  let heard: BusMessage[];
  let alice: MemoryBus;
  let bob: MemoryBus;

  beforeEach(async () => {
    clock = new FakeClock();
    exchange = new MemoryExchange(clock, new SeededRandom(1));
    heard = [];
    alice = exchange.connect();
    bob = exchange.connect();
    const listener = {
      answer: async () => ({}),
      hear: (notice: BusMessage) => void heard.push(notice),
      back: () => {},
    };
    await alice.listen('alice', listener);
    await bob.listen('bob', listener);
  });

  const tell = async (count: number): Promise<readonly number[]> => {
    for (let n = 0; n < count; n++) alice.tell({ n });
    await clock.advance(1_000);
    return heard.map(({ n }) => n as number);
  };

  it('loses, doubles, delays and disorders as it is told to', async () => {
    exchange.weather = { loss: 0.3, doubling: 0.3, latencyLowMs: 1, latencyHighMs: 100 };
    const ns = await tell(200);
    expect(new Set(ns).size).toBeLessThan(200);
    expect(ns.length).toBeGreaterThan(new Set(ns).size);
    expect(ns).not.toEqual(ns.toSorted((a, b) => a - b));
  });

  it('a pair that is parted does not hear each other, and nobody tells it', async () => {
    exchange.part('bob', 'alice');
    expect(await tell(1)).toEqual([]);
    expect(alice.isUp).toBe(true);
    await expect(clock.outcome('the end', alice.ask('bob', {}, 50))).rejects.toThrow(BusFailed);
    exchange.join('alice', 'bob');
    expect(await clock.outcome('the answer', alice.ask('bob', {}, 50))).toEqual({});
  });

  it('who died neither answers nor hears, and leaves no timer behind', async () => {
    const answer = bob.ask('alice', {}, 1_000);
    void answer.catch(() => {});
    bob.cut();
    expect(await tell(1)).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('what comes in reaches a process through its own door', async () => {
    const events: (() => void)[] = [];
    const carol = exchange.connect(clock.process(), (event) => void events.push(event));
    await carol.listen('carol', {
      answer: async () => ({}),
      hear: (notice) => void heard.push(notice),
      back: () => {},
    });
    bob.cut();
    expect(await tell(1)).toEqual([]);
    for (const event of events) event();
    expect(heard).toEqual([{ n: 0 }]);
  });
});
