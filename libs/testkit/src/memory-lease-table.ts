/** `LeaseTable` over a `MemoryDatabase`. One of these belongs to one process, and shares its link with the process's log. */
import {
  LeaseTable,
  type NodeInfo,
  type NodeRow,
  type Raised,
  type Renewal,
  type Slot,
  type SlotRow as OwnedSlot,
  type Tenure,
} from '@homeport/core';
import type { Epoch } from '@homeport/protocol';
import type { MemoryDatabase, SlotRow } from './memory-database.js';
import { StatementFailed, type MemoryLink, type Operation } from './memory-link.js';

export class MemoryLeaseTable extends LeaseTable {
  readonly #link: MemoryLink;
  readonly #database: MemoryDatabase;

  constructor(link: MemoryLink) {
    super();
    this.#link = link;
    this.#database = link.database;
  }

  nodes(): Promise<readonly NodeRow[]> {
    return this.#read('nodes', () => this.#living());
  }

  slots(known: readonly number[]): Promise<readonly OwnedSlot[]> {
    return this.#read('slots', () =>
      this.#database.slots
        .map((row, slot) => ({ ...row, slot: slot as Slot }))
        .filter(({ slot, owner, epoch }) => owner === undefined || epoch > (known[slot] ?? -1)),
    );
  }

  join(node: NodeInfo, broken?: () => void): Promise<void> {
    if (broken) this.#link.watch(broken);
    return this.#link.send('join', () =>
      this.#database.transact(async (lock) => {
        await lock([`node ${node.id}`]);
        if (this.#database.nodes.has(node.id)) throw new Error(`there is a node ${node.id} already`);
        return {
          answer: undefined,
          write: () => {
            this.#database.nodes.set(node.id, { ...node, state: 'up', renewals: 0 });
            this.#link.hold(node.id);
          },
        };
      }),
    );
  }

  async renew(nodeId: string): Promise<Renewal> {
    try {
      return await this.#link.send('renew', () =>
        this.#database.transact<Renewal>(async (lock) => {
          await lock([`node ${nodeId}`]);
          const mine = this.#database.nodes.get(nodeId);
          if (mine === undefined || !isLiving(mine)) return { answer: { kind: 'dead' } };
          const renewed = { ...mine, renewals: mine.renewals + 1 };
          const others = this.#living().filter(({ id }) => id !== nodeId);
          return {
            answer: {
              kind: 'renewed',
              nodes: [...others, renewed],
              version: this.#database.slots.reduce((sum, { epoch }) => sum + epoch, 0),
              serverStart: this.#database.serverStart,
              serverAgeMs: this.#database.serverAgeMs,
              timeline: this.#database.timeline,
              revoked: this.#database.youngestRevocation,
            },
            write: () => {
              this.#database.nodes.set(nodeId, renewed);
              this.#link.hold(nodeId);
            },
          };
        }),
      );
    } catch (error) {
      if (error instanceof StatementFailed) return { kind: 'failed', reason: error.message };
      throw error;
    }
  }

  isLockFree(nodeId: string): Promise<boolean> {
    return this.#read('isLockFree', () => !this.#database.advisoryLocks.has(nodeId));
  }

  takeOver(
    me: string,
    victim: { readonly id: string; readonly renewals: number } | undefined,
    wanted?: readonly Slot[],
  ): Promise<readonly Tenure[] | undefined> {
    const asked = wanted && new Set(wanted);
    return this.#link.send('takeOver', () =>
      this.#database.transact<readonly Tenure[] | undefined>(async (lock) => {
        const { nodes, slots } = this.#database;
        const concerned = victim === undefined ? [me] : [me, victim.id].sort();
        await lock(concerned.map((id) => `node ${id}`));
        if (nodes.get(me)?.state !== 'up') throw new Error(`node ${me} is not up and may take nothing`);
        const dying = victim && nodes.get(victim.id);
        if (victim && !(dying && isLiving(dying) && dying.renewals === victim.renewals)) return { answer: undefined };
        const isFree = ({ owner }: SlotRow): boolean => {
          const node = owner === undefined ? undefined : nodes.get(owner);
          return node === undefined || node === dying || !isLiving(node);
        };
        const isAsked = (slot: number): boolean => asked?.has(slot as Slot) ?? true;
        const seen = slots.flatMap((row, slot) => (isAsked(slot) && isFree(row) ? [slot] : []));
        await lock(seen.map((slot) => `slot ${slot}`));
        const taken = seen.flatMap((slot): Tenure[] => {
          const row = slots[slot];
          return row && isFree(row) ? [{ slot: slot as Slot, epoch: (row.epoch + 1) as Epoch }] : [];
        });
        return {
          answer: taken,
          write: () => {
            if (dying) nodes.set(dying.id, { ...dying, state: 'dead' });
            for (const { slot, epoch } of taken) slots[slot] = { owner: me, epoch };
          },
        };
      }),
    );
  }

  handOff(me: string, tenures: readonly Tenure[], to: string): Promise<readonly Tenure[]> {
    return this.#link.send('handOff', () =>
      this.#database.transact<readonly Tenure[]>(async (lock) => {
        const { nodes, slots } = this.#database;
        const isMine = ({ slot, epoch }: Tenure): boolean => slots[slot]?.owner === me && slots[slot]?.epoch === epoch;
        await lock([`node ${to}`]);
        if (nodes.get(to)?.state !== 'up') return { answer: [] };
        const seen = tenures.filter(isMine).sort((a, b) => a.slot - b.slot);
        await lock(seen.map(({ slot }) => `slot ${slot}`));
        const moved = seen.filter(isMine).map(({ slot, epoch }) => ({ slot, epoch: (epoch + 1) as Epoch }));
        return {
          answer: moved,
          write: () => {
            for (const { slot, epoch } of moved) slots[slot] = { owner: to, epoch };
          },
        };
      }),
    );
  }

  drain(me: string): Promise<void> {
    return this.#link.send('drain', () =>
      this.#database.transact(async (lock) => {
        await lock([`node ${me}`]);
        const node = this.#database.nodes.get(me);
        return {
          answer: undefined,
          write: () => {
            if (node?.state === 'up') this.#database.nodes.set(me, { ...node, state: 'draining' });
          },
        };
      }),
    );
  }

  raise(me: string, tenures: readonly Tenure[]): Promise<Raised> {
    return this.#link.send('raise', () =>
      this.#database.transact<Raised>(async (lock) => {
        const { nodes, slots } = this.#database;
        const isMine = ({ slot, epoch }: Tenure): boolean => slots[slot]?.owner === me && slots[slot]?.epoch === epoch;
        const seen = tenures.filter(isMine).sort((a, b) => a.slot - b.slot);
        await lock(seen.map(({ slot }) => `slot ${slot}`));
        const kept = seen.filter(isMine).map(({ slot, epoch }) => ({ slot, epoch: (epoch + 1) as Epoch }));
        const still = new Set(kept.map(({ slot }) => slot));
        const lost = tenures
          .filter(({ slot }) => !still.has(slot))
          .map(({ slot }) => {
            const row = slots[slot];
            const node = row?.owner === undefined ? undefined : nodes.get(row.owner);
            const owner = node && { id: node.id, name: node.name, url: node.url };
            return { slot, owner, epoch: row?.epoch ?? (0 as Epoch) };
          });
        return {
          answer: { kept, lost },
          write: () => {
            for (const { slot, epoch } of kept) slots[slot] = { owner: me, epoch };
          },
        };
      }),
    );
  }

  leave(me: string): Promise<void> {
    return this.#link.send('leave', () =>
      this.#database.transact(async (lock) => {
        const { nodes, slots } = this.#database;
        await lock([`node ${me}`]);
        const mine = slots.flatMap(({ owner }, slot) => (owner === me ? [slot] : []));
        await lock(mine.map((slot) => `slot ${slot}`));
        return {
          answer: undefined,
          write: () => {
            const node = nodes.get(me);
            if (node && isLiving(node)) nodes.set(me, { ...node, state: 'left' });
            for (const slot of mine) {
              const row = slots[slot];
              if (row?.owner === me) slots[slot] = { owner: undefined, epoch: row.epoch };
            }
            this.#link.release();
          },
        };
      }),
    );
  }

  #living(): readonly NodeRow[] {
    return [...this.#database.nodes.values()].filter(isLiving);
  }

  #read<T>(operation: Operation, what: () => T): Promise<T> {
    return this.#link.send(operation, () => this.#database.transact(async () => ({ answer: what() })));
  }
}

function isLiving(node: NodeRow): boolean {
  return node.state === 'up' || node.state === 'draining';
}
