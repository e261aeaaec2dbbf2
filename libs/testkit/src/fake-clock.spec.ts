import { pause } from '@homeport/core';
import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.js';

describe('FakeClock', () => {
  it('runs due timers in order, equal ones by age, and none that is not due', async () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push('b'));
    clock.after(10, () => fired.push('a'));
    clock.after(20, () => fired.push('c'));
    clock.after(31, () => fired.push('late'));
    await clock.advance(30);
    expect(fired).toEqual(['a', 'b', 'c']);
    expect(clock.monotonicMs()).toBe(30);
    expect(clock.pendingTimers).toBe(1);
  });

  it('lets long chains of promises come to rest between two timers', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(1, () => void chain(50).then(() => seen.push('chain')));
    clock.after(1, () => seen.push('timer'));
    await clock.advance(1);
    expect(seen).toEqual(['chain', 'timer']);
  });

  it('runs timers that timers set, at their own time', async () => {
    const clock = new FakeClock();
    const times: number[] = [];
    void (async () => {
      for (let i = 0; i < 3; i++) {
        await pause(clock, 7);
        times.push(clock.monotonicMs());
      }
    })();
    await clock.advance(100);
    expect(times).toEqual([7, 14, 21]);
  });

  it('says which condition did not come', async () => {
    const clock = new FakeClock();
    clock.after(5, () => {});
    await expect(clock.until('the tide', () => false, 50)).rejects.toThrow('did not come within 50 ms: the tide');
  });

  it('gives the outcome of a promise, also a rejection', async () => {
    const clock = new FakeClock();
    expect(
      await clock.outcome(
        'a pause',
        pause(clock, 5).then(() => 'over'),
      ),
    ).toBe('over');
    const failing = pause(clock, 5).then(() => Promise.reject(new Error('broken')));
    await expect(clock.outcome('a failure', failing)).rejects.toThrow('broken');
  });

  it('gives a process a clock that runs fast or slow, and that dies with it', async () => {
    const world = new FakeClock();
    const fast = world.process(1.01);
    const fired: string[] = [];
    fast.after(1010, () => fired.push('fast'));
    await world.advance(1000);
    expect(fast.monotonicMs()).toBeCloseTo(1010);
    expect(fired).toEqual(['fast']);

    fast.after(1, () => fired.push('after death'));
    fast.stop();
    await world.advance(10);
    expect(fired).toEqual(['fast']);
  });

  it('undoes a timer', async () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    const cancel = clock.after(5, () => fired.push('x'));
    cancel();
    cancel();
    await clock.advance(10);
    expect(fired).toEqual([]);
  });
});

async function chain(length: number): Promise<void> {
  for (let i = 0; i < length; i++) await Promise.resolve();
}
