/**
 * The slots of this node and the lease under which it answers for them.
 *
 *   joining ── claim() ──> keeping ── leave() ──> left
 *                             └── declared dead, or a slot turned out to be another's ──> lost (for ever)
 *
 * The lease counts from a moment before the renewal was sent, on this node's own clock; while it runs, nobody else has
 * declared this node dead, so memory is the truth. It serves reads and liveness only: writes are fenced by the epoch.
 * A raise of epochs may overlap a renewal; both only ever move epochs and the lease forward.
 */
import type { Epoch, NodeRef } from '@homeport/protocol';
import { Tenures, type Raised, type Slot, type Tenure } from '../document/slot.js';
import { pause, type Cancel, type Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import type { LeaseTable, NodeInfo, NodeRow } from './lease-table.js';

export interface LeaseSettings {
  readonly ttlMs: number;
  readonly marginMs: number;
  readonly renewalMs: number;
}

export const DEFAULT_LEASE_SETTINGS: LeaseSettings = { ttlMs: 3_000, marginMs: 100, renewalMs: 750 };

/**
 * How the slots of nodes that are not known to have ended are claimed.
 * `careful`: only from nodes proven or seen to be dead; a living one ends the start. `alone`: something else proves that
 * no other node can live (the lock on the data folder). `forced`: an operator says so; a living node will be fenced.
 */
export type Claim = 'careful' | 'alone' | 'forced';

export class SlotKeeper extends Tenures {
  /** Resolves, once, with the reason why this node must end. */
  readonly lost: Promise<string>;

  readonly #me: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #settings: LeaseSettings;
  readonly #epochs = new Map<Slot, Epoch>();
  #state: 'joining' | 'keeping' | 'lost' | 'left' = 'joining';
  #leaseUntilMs = -Infinity;
  #renewal: Cancel | undefined;
  #tellLost: (reason: string) => void = () => {};

  constructor(me: NodeInfo, leases: LeaseTable, clock: Clock, probe: Probe, settings: LeaseSettings) {
    super();
    this.#me = me;
    this.#leases = leases;
    this.#clock = clock;
    this.#probe = probe;
    this.#settings = settings;
    this.lost = new Promise((resolve) => (this.#tellLost = resolve));
  }

  override epochOf(slot: Slot): Epoch | undefined {
    return this.#epochs.get(slot);
  }

  override mayServe(slot: Slot): boolean {
    return this.#clock.monotonicMs() < this.#leaseUntilMs && this.#epochs.has(slot);
  }

  override async raise(tenures: readonly Tenure[]): Promise<Raised> {
    const { kept, lost } = await this.#leases.raise(this.#me.id, tenures);
    // Ours at a higher epoch: an earlier raise went through and its answer was lost.
    const mine = lost.filter(({ owner }) => owner?.id === this.#me.id);
    const gone = lost.filter(({ owner }) => owner?.id !== this.#me.id);
    for (const tenure of kept) this.#keep(tenure);
    for (const { slot } of gone) this.#epochs.delete(slot);
    if (gone.length > 0) this.#lose(`slot ${gone[0]!.slot} belongs to ${gone[0]!.owner?.name ?? 'nobody'} now`);
    if (mine.length === 0) return { kept, lost: gone };
    const again = await this.raise(mine.map(({ slot, epoch }) => ({ slot, epoch })));
    return { kept: [...kept, ...again.kept], lost: [...gone, ...again.lost] };
  }

  /** Joins, deals with the nodes that are still in the table, and takes every slot. Rejects beside a living node. */
  async claim(claim: Claim): Promise<void> {
    await this.#leases.join(this.#me);
    try {
      await this.#renew();
      await this.#takeAll(claim);
    } catch (error) {
      // Without a row that looks alive, the next start need not wait for this one.
      await this.leave().catch(() => {});
      throw error;
    }
  }

  /** Ends without a trace: every slot is free, and the next node need not wait. */
  async leave(): Promise<void> {
    this.#stop('left');
    await this.#leases.leave(this.#me.id);
  }

  async #takeAll(claim: Claim): Promise<void> {
    const seen = new Map<string, { readonly renewals: number; readonly sinceMs: number }>();
    for (;;) {
      const others = (await this.#leases.nodes()).filter(({ id }) => id !== this.#me.id);
      if (others.length === 0) break;
      for (const other of others) {
        const before = seen.get(other.id) ?? { renewals: other.renewals, sinceMs: this.#clock.monotonicMs() };
        seen.set(other.id, before);
        const isOver = claim === 'alone' || (await this.#isOver(other, before));
        if (isOver || claim === 'forced') {
          const taken = await this.#leases.takeOver(this.#me.id, other);
          // It may live, and answer from memory until its lease has run out or a renewal has told it.
          if (!isOver && taken !== undefined) await pause(this.#clock, this.#outliveMs);
          this.#keepAll(taken);
        } else if (other.renewals !== before.renewals) throw new Error(livingNode(other));
      }
      await pause(this.#clock, 100);
    }
    this.#keepAll(await this.#leases.takeOver(this.#me.id, undefined));
    if (this.#state !== 'joining') throw new Error('this node was declared dead while it started');
    this.#state = 'keeping';
  }

  /** Dead by proof (its lock is free and its address is ours), or its lock is free or its counter still for a whole lease. */
  async #isOver(other: NodeRow, seen: { readonly renewals: number; readonly sinceMs: number }): Promise<boolean> {
    if (other.renewals !== seen.renewals) return false;
    const stillMs = this.#clock.monotonicMs() - seen.sinceMs;
    if (stillMs >= this.#outliveMs) return true;
    const isOurAddress =
      other.machineId === this.#me.machineId && other.host === this.#me.host && other.port === this.#me.port;
    return isOurAddress && (await this.#leases.isLockFree(other.id));
  }

  /** After this long on this clock, no lease runs any more that was counted on another from a moment before. */
  get #outliveMs(): number {
    return this.#settings.ttlMs * 1.005 + this.#settings.marginMs;
  }

  /** Renews on and on. One renewal at a time; the next is due one period after the last began. */
  async #renew(): Promise<void> {
    const sentMs = this.#clock.monotonicMs();
    const renewal = await this.#leases.renew(this.#me.id);
    if (this.#state === 'lost' || this.#state === 'left') return;
    switch (renewal.kind) {
      case 'renewed':
        this.#leaseUntilMs = sentMs + this.#settings.ttlMs - this.#settings.marginMs;
        break;
      case 'dead':
        this.#lose('this node was declared dead');
        return;
      case 'failed':
        this.#probe.tell('warn', 'the lease could not be renewed', { reason: renewal.reason });
        break;
    }
    const tookMs = this.#clock.monotonicMs() - sentMs;
    this.#renewal = this.#clock.after(Math.max(50, this.#settings.renewalMs - tookMs), () => void this.#renew());
  }

  #keepAll(tenures: readonly Tenure[] | undefined): void {
    for (const tenure of tenures ?? []) this.#keep(tenure);
  }

  #keep({ slot, epoch }: Tenure): void {
    if (this.#state === 'lost' || this.#state === 'left') return;
    const before = this.#epochs.get(slot);
    if (before === undefined || before < epoch) this.#epochs.set(slot, epoch);
  }

  #lose(reason: string): void {
    if (this.#state === 'lost' || this.#state === 'left') return;
    this.#stop('lost');
    this.#epochs.clear();
    this.#probe.tell('alarm', 'this node has lost its place', { reason });
    this.#tellLost(reason);
  }

  #stop(state: 'lost' | 'left'): void {
    this.#state = state;
    this.#leaseUntilMs = -Infinity;
    this.#renewal?.();
  }
}

export function refOf({ id, name, url }: NodeInfo): NodeRef {
  return { id, name, url };
}

function livingNode({ name, url }: NodeRow): string {
  return (
    `another Homeport node lives on this database: ${name} at ${url}. ` +
    `One node serves a database; stop it, or start with FORCE_TAKEOVER=true to fence it and take its documents.`
  );
}
