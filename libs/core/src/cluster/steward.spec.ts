/** What becomes of the slots when a node comes, goes, dies or hangs: on a clock on which every millisecond counts. */
import { ClusterSimulation, type SimNode } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { SLOTS } from '../document/slot.js';

/** As the nodes of the simulation have it. */
const TTL_MS = 1_000;
const RENEWAL_MS = 250;
const REBALANCE_AFTER_MS = 1_000;

describe('Steward', () => {
  it('O7: nodes that start together come to fair shares, and then nothing moves any more', async () => {
    const { run, balanced } = cluster();
    await balanced(3);
    const { slots } = run.database;
    const before = slots.map(({ epoch }) => epoch);
    await run.world.advance(20_000);
    expect(slots.map(({ epoch }) => epoch)).toEqual(before);
  });

  it('O6: the slots of a process that died are owned again within 250 ms, by both who are left', async () => {
    const { run, node, balanced, owners } = cluster();
    await balanced(3);
    const diedMs = run.world.monotonicMs();
    node('b').process.kill();
    await run.world.until('owners for all', () => run.isOwned);
    expect(run.world.monotonicMs() - diedMs).toBeLessThan(250);
    expect(owners()).toEqual([
      ['a.1', 512],
      ['c.3', 512],
    ]);
  });

  it('O6 O5: without the bus, too', async () => {
    const { run, node, balanced } = cluster();
    await balanced(3);
    run.exchange.stop();
    const diedMs = run.world.monotonicMs();
    node('b').process.kill();
    await run.world.until('owners for all', () => run.isOwned);
    expect(run.world.monotonicMs() - diedMs).toBeLessThan(TTL_MS + 2 * RENEWAL_MS + 1_000);
  });

  it('O6 O4: the slots of a node that hangs are owned after its lease, and when it wakes it knows', async () => {
    const { run, node, balanced } = cluster();
    await balanced(3);
    const b = node('b');
    const hungMs = run.world.monotonicMs();
    b.process.pause();
    const isOwned = (): boolean => run.database.slots.every(({ owner }) => owner !== 'b.2');
    await run.world.advance(TTL_MS - 50 - RENEWAL_MS);
    expect(isOwned()).toBe(false);
    await run.world.until('other owners for all', isOwned);
    expect(run.world.monotonicMs() - hungMs).toBeLessThan(TTL_MS + 2 * RENEWAL_MS + 1_000);
    b.process.resume();
    const wokeMs = run.world.monotonicMs();
    await run.world.until('its end', () => b.node.state === 'lost');
    expect(run.world.monotonicMs() - wokeMs).toBeLessThan(1_000);
  });

  it('E1: who drains gives every slot to somebody before it goes: none is ever without an owner', async () => {
    const { run, node, balanced, owners } = cluster();
    await balanced(3);
    const b = node('b');
    let isGone = false;
    void b.node.drain().then(() => (isGone = true));
    while (!isGone) {
      await run.world.advance(1);
      const free = run.database.slots.filter(({ owner }) => owner === undefined || !run.database.nodes.has(owner));
      expect(free).toEqual([]);
    }
    expect(owners()).toEqual([
      ['a.1', 512],
      ['c.3', 512],
    ]);
    expect(run.database.nodes.get('b.2')?.state).toBe('left');
  });

  it('E1: who drains gives nothing to a node that hangs, though nobody has declared it dead yet', async () => {
    const { run, node, balanced } = cluster();
    await balanced(3);
    node('b').process.pause();
    // Two renewals and a half after the others have seen its last one, which may have taken one more; less than a lease.
    await run.world.advance(3.6 * RENEWAL_MS);
    expect(run.database.nodes.get('b.2')?.state).toBe('up');
    const before = run.database.slots.map(({ owner }) => owner);
    void node('a').node.drain();
    await run.world.until('a to have nothing', () => run.database.slots.every(({ owner }) => owner !== 'a.1'));
    const heirs = new Set(run.database.slots.flatMap(({ owner }, slot) => (before[slot] === 'a.1' ? [owner] : [])));
    expect(heirs).toEqual(new Set(['c.3']));
  });

  it('E1: who drains gives nothing to a node that is still arriving while others serve', async () => {
    const { run, node, balanced } = cluster();
    await balanced(3);
    node('c').process.pause();
    await run.world.advance(200);
    // It waits until the one of its name has gone.
    const late = run.boot('c');
    await run.world.advance(300);
    void node('a').node.drain();
    await run.world.until('a to have nothing', () => run.database.slots.every(({ owner }) => owner !== 'a.1'));
    expect(late.isServing).toBe(false);
    expect(run.database.slots.filter(({ owner }) => owner === late.node.me.id)).toEqual([]);
  });

  it('O7: who joins gets its fair share when nothing has changed for a while, and nothing else moves', async () => {
    const { run, balanced, owners } = cluster();
    await balanced(3);
    const before = run.database.slots.map(({ owner }) => owner);
    const joinedMs = run.world.monotonicMs();
    run.boot('d');
    await run.world.advance(REBALANCE_AFTER_MS - RENEWAL_MS);
    expect(run.database.slots.map(({ owner }) => owner)).toEqual(before);
    await balanced(4);
    expect(run.world.monotonicMs() - joinedMs).toBeLessThan(REBALANCE_AFTER_MS + 3_000);
    expect(owners().map(([, count]) => count)).toEqual([256, 256, 256, 256]);
    const moved = run.database.slots.filter(({ owner }, slot) => owner !== before[slot]);
    expect(moved).toHaveLength(SLOTS / 4);
    expect(moved.every(({ owner }) => owner === 'd.4')).toBe(true);
  });

  it('E6: an outage of the database that is longer than a lease changes no owner', async () => {
    const { run, balanced } = cluster();
    await balanced(3);
    const before = run.database.slots.map(({ owner }) => owner);
    for (const end of ['stop', 'freeze'] as const) {
      run.database[end]();
      await run.world.advance(5 * TTL_MS);
      run.database.start();
      await run.world.advance(5 * TTL_MS);
      expect(run.database.slots.map(({ owner }) => owner)).toEqual(before);
    }
  });
});

function cluster() {
  const run = new ClusterSimulation(11, {});
  for (const name of ['a', 'b', 'c']) run.boot(name);
  const owners = (): [string, number][] => {
    const counts = new Map<string, number>();
    for (const { owner } of run.database.slots) counts.set(owner ?? '', (counts.get(owner ?? '') ?? 0) + 1);
    return [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
  };
  const balanced = (count: number) =>
    run.world.until(`${count} fair shares`, () => {
      const shares = owners().map(([, slots]) => slots);
      return run.isOwned && shares.length === count && Math.max(...shares) - Math.min(...shares) <= 1;
    });
  const node = (name: string): SimNode => run.nodes.find(({ node: { me } }) => me.name === name)!;
  return { run, node, owners, balanced };
}
