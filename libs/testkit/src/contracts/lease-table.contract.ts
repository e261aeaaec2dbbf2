/** What every `LeaseTable` must do. */
import { SLOTS } from '@homeport/core';
import type { LeaseTable, NodeInfo, Slot, Tenure } from '@homeport/core';
import type { Epoch } from '@homeport/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface LeaseTables {
  /** The lease table as one more process sees it: its lease connection is its own. */
  connect(): Promise<LeaseTable>;
  close(): Promise<void>;
}

/** `make`: over fresh tables at each call. */
export function describeLeaseTable(name: string, make: () => Promise<LeaseTables>): void {
  describe(`${name} as a LeaseTable`, () => {
    let tables: LeaseTables;
    let alice: LeaseTable;
    let bob: LeaseTable;

    beforeEach(async () => {
      tables = await make();
      alice = await tables.connect();
      bob = await tables.connect();
      await alice.join(node('alice.1'));
    });
    afterEach(() => tables.close());

    it('shows who has joined, as they joined, once', async () => {
      expect(await bob.nodes()).toEqual([{ ...node('alice.1'), state: 'up', renewals: 0 }]);
      await expect(bob.join(node('alice.1'))).rejects.toThrow(/./);
      expect(await bob.nodes()).toHaveLength(1);
    });

    it('a renewal raises the counter of its node by one, and shows everyone', async () => {
      await bob.join(node('bob.1'));
      expect(await counters(alice, 'alice.1')).toEqual({ 'alice.1': 1, 'bob.1': 0 });
      expect(await counters(alice, 'alice.1')).toEqual({ 'alice.1': 2, 'bob.1': 0 });
      expect(await counters(bob, 'bob.1')).toEqual({ 'alice.1': 2, 'bob.1': 1 });
    });

    it('O4: who is not there, was declared dead, or has left, does not renew', async () => {
      expect(await bob.renew('nobody.1')).toEqual({ kind: 'dead' });
      await bob.join(node('bob.1'));
      await bob.takeOver('bob.1', { id: 'alice.1', renewals: 0 });
      expect(await alice.renew('alice.1')).toEqual({ kind: 'dead' });
      expect(await alice.renew('alice.1')).toEqual({ kind: 'dead' });
      await bob.leave('bob.1');
      expect(await bob.renew('bob.1')).toEqual({ kind: 'dead' });
      expect(await bob.nodes()).toEqual([]);
    });

    it('W10: the first node takes every slot, each at the next epoch', async () => {
      expect(await alice.takeOver('alice.1', undefined)).toHaveLength(SLOTS);
      expect(await alice.takeOver('alice.1', undefined)).toEqual([]);
      await bob.join(node('bob.1'));
      expect(await bob.takeOver('bob.1', undefined)).toEqual([]);
    });

    it('O3: a node is declared dead only at the counter that was seen', async () => {
      const [first] = await takeAll();
      await bob.join(node('bob.1'));
      await alice.renew('alice.1');
      expect(await bob.takeOver('bob.1', { id: 'alice.1', renewals: 0 })).toBeUndefined();
      expect((await bob.nodes()).map(({ id }) => id)).toEqual(['alice.1', 'bob.1']);
      const taken = await bob.takeOver('bob.1', { id: 'alice.1', renewals: 1 });
      expect(taken).toHaveLength(SLOTS);
      expect(taken?.find(({ slot }) => slot === first?.slot)?.epoch).toBe(Number(first?.epoch) + 1);
      expect((await bob.nodes()).map(({ id }) => id)).toEqual(['bob.1']);
    });

    it('O4: a node that is not up takes nothing', async () => {
      await bob.join(node('bob.1'));
      await bob.takeOver('bob.1', { id: 'alice.1', renewals: 0 });
      await expect(alice.takeOver('alice.1', { id: 'bob.1', renewals: 0 })).rejects.toThrow(/./);
      await expect(alice.takeOver('alice.1', undefined)).rejects.toThrow(/./);
      expect((await bob.nodes()).map(({ id }) => id)).toEqual(['bob.1']);
    });

    it('W10: of two that declare each other dead at once, one lives and has all slots', async () => {
      await takeAll();
      await bob.join(node('bob.1'));
      const [byAlice, byBob] = await Promise.allSettled([
        alice.takeOver('alice.1', { id: 'bob.1', renewals: 0 }),
        bob.takeOver('bob.1', { id: 'alice.1', renewals: 0 }),
      ]);
      expect([byAlice.status, byBob.status].toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(await bob.nodes()).toHaveLength(1);
    });

    it('W10: of many that take free slots at once, each slot goes to one', async () => {
      await bob.join(node('bob.1'));
      const [byAlice, byBob] = await Promise.all([
        alice.takeOver('alice.1', undefined),
        bob.takeOver('bob.1', undefined),
      ]);
      const slots = [...(byAlice ?? []), ...(byBob ?? [])].map(({ slot }) => slot);
      expect(slots).toHaveLength(SLOTS);
      expect(new Set(slots).size).toBe(SLOTS);
    });

    it('raises the epochs of slots that are still mine at that epoch, by one', async () => {
      const [first, second] = await takeAll();
      expect(await alice.raise('alice.1', [first])).toEqual({ kept: [next(first)], lost: [] });
      expect(await alice.raise('alice.1', [first, second])).toEqual({
        kept: [next(second)],
        lost: [{ slot: first.slot, epoch: next(first).epoch, owner: ref('alice.1') }],
      });
      expect(await alice.raise('alice.1', [])).toEqual({ kept: [], lost: [] });
    });

    it('tells who has the slots that are not mine any more', async () => {
      const [first] = await takeAll();
      await bob.join(node('bob.1'));
      await bob.takeOver('bob.1', { id: 'alice.1', renewals: 0 });
      const lost = [{ slot: first.slot, epoch: next(first).epoch, owner: ref('bob.1') }];
      expect(await alice.raise('alice.1', [first])).toEqual({ kept: [], lost });
      await bob.leave('bob.1');
      expect(await alice.raise('alice.1', [first])).toEqual({ kept: [], lost: [{ ...lost[0], owner: undefined }] });
    });

    it('W10: takes only the slots that it names, from the dead and from nobody', async () => {
      const [first, second] = await takeAll();
      await bob.join(node('bob.1'));
      const taken = await bob.takeOver('bob.1', { id: 'alice.1', renewals: 0 }, [first.slot]);
      expect(taken).toEqual([next(first)]);
      expect(await bob.takeOver('bob.1', undefined, [first.slot, second.slot])).toEqual([next(second)]);
      expect(await bob.takeOver('bob.1', undefined)).toHaveLength(SLOTS - 2);
    });

    it('shows who owns what, and a version that every change of ownership raises', async () => {
      const before = await versionOf(alice, 'alice.1');
      expect(
        (await bob.slots([])).every(({ owner, epoch }, slot) => owner === undefined && epoch === 0 && slot >= 0),
      ).toBe(true);
      const [first] = await takeAll();
      const rows = await bob.slots([]);
      expect(rows).toHaveLength(SLOTS);
      expect(rows[first.slot]).toEqual({ ...first, owner: 'alice.1' });
      const taken = await versionOf(alice, 'alice.1');
      expect(taken).toBe(before + SLOTS);
      await alice.raise('alice.1', [first]);
      expect(await versionOf(alice, 'alice.1')).toBe(taken + 1);
    });

    it('leaves out what is not above the epoch that is known, unless nobody owns it', async () => {
      const [first, second] = await takeAll();
      await alice.raise('alice.1', [first]);
      const known = Array.from({ length: SLOTS }, () => 1);
      expect(await bob.slots(known)).toEqual([{ ...next(first), owner: 'alice.1' }]);
      known[first.slot] = 3;
      known[second.slot] = -1;
      expect(await bob.slots(known)).toEqual([{ ...second, owner: 'alice.1' }]);
      await alice.leave('alice.1');
      expect(await bob.slots(known)).toHaveLength(SLOTS);
    });

    it('W10: a handoff moves what is mine at that epoch to a node that is up, at the next epoch', async () => {
      const [first, second] = await takeAll();
      await bob.join(node('bob.1'));
      await alice.raise('alice.1', [second]);
      expect(await alice.handOff('alice.1', [first, second], 'bob.1')).toEqual([next(first)]);
      expect((await bob.slots([]))[first.slot]).toEqual({ ...next(first), owner: 'bob.1' });
      expect(await alice.handOff('alice.1', [first], 'bob.1')).toEqual([]);
      await bob.drain('bob.1');
      expect(await alice.handOff('alice.1', [next(second)], 'bob.1')).toEqual([]);
      expect(await alice.handOff('alice.1', [next(second)], 'nobody.1')).toEqual([]);
      expect((await bob.slots([]))[second.slot]).toEqual({ ...next(second), owner: 'alice.1' });
    });

    it('who drains keeps its slots and renews, and takes nothing any more', async () => {
      await alice.takeOver('alice.1', undefined, [1 as Slot]);
      await alice.drain('alice.1');
      expect(await alice.renew('alice.1')).toMatchObject({ nodes: [{ id: 'alice.1', state: 'draining' }] });
      await expect(alice.takeOver('alice.1', undefined)).rejects.toThrow(/./);
      await bob.join(node('bob.1'));
      expect(await bob.takeOver('bob.1', undefined)).toHaveLength(SLOTS - 1);
    });

    it('who leaves owns nothing, and what it owned is free at the next epoch', async () => {
      const [first] = await takeAll();
      await alice.leave('alice.1');
      expect(await bob.nodes()).toEqual([]);
      await bob.join(node('bob.1'));
      const taken = await bob.takeOver('bob.1', undefined);
      expect(taken).toHaveLength(SLOTS);
      expect(taken?.find(({ slot }) => slot === first.slot)?.epoch).toBeGreaterThan(first.epoch);
    });

    it('holds the lock of a node from its join to its end', async () => {
      expect(await bob.isLockFree('alice.1')).toBe(false);
      expect(await alice.isLockFree('alice.1')).toBe(false);
      expect(await bob.isLockFree('nobody.1')).toBe(true);
      await alice.renew('alice.1');
      expect(await bob.isLockFree('alice.1')).toBe(false);
      await alice.leave('alice.1');
      expect(await bob.isLockFree('alice.1')).toBe(true);
    });

    async function takeAll(): Promise<readonly [Tenure, Tenure]> {
      const [first, second] = (await alice.takeOver('alice.1', undefined)) ?? [];
      if (first === undefined || second === undefined) throw new Error('no slot was free');
      return [first, second];
    }
  });
}

function node(id: string): NodeInfo {
  return { id, name: id, url: `http://${id}`, host: '127.0.0.1', port: 4000, machineId: 'm', leaseTtlMs: 3_000 };
}

function ref(id: string) {
  return { id, name: id, url: `http://${id}` };
}

function next({ slot, epoch }: Tenure): { slot: Slot; epoch: Epoch } {
  return { slot, epoch: (epoch + 1) as Epoch };
}

async function versionOf(leases: LeaseTable, id: string): Promise<number> {
  const renewal = await leases.renew(id);
  if (renewal.kind !== 'renewed') throw new Error(`the renewal of ${id} ended ${renewal.kind}`);
  return renewal.version;
}

async function counters(leases: LeaseTable, id: string): Promise<Record<string, number>> {
  const renewal = await leases.renew(id);
  if (renewal.kind !== 'renewed') throw new Error(`the renewal of ${id} ended ${renewal.kind}`);
  return Object.fromEntries(renewal.nodes.map((row) => [row.id, row.renewals]));
}
