/**
 * The slots of this node and the lease under which it answers for them.
 *
 *   joining ── join(), keep() ──> keeping ── leave() ──> left
 *                                    └── declared dead ──> lost (for ever)
 *
 * The lease counts from a moment before the renewal was sent, on this node's own clock; while it runs, nobody else has
 * declared this node dead, so memory is the truth. It serves reads and liveness only: writes are fenced by the epoch.
 * It ends before its time when the lease connection is lost: the lock that goes with it is half of a proof of death.
 *
 * A renewal also tells when the database is not the one that it was (restored, or failed over with a loss): what memory
 * holds is then not what anybody will find, and the node is lost as one that was declared dead.
 *
 * Epochs and the lease only ever move forward, so a raise, a look at the map and a renewal may overlap.
 */
import { refuse, type Epoch, type NodeRef, type Refusal, type Timeline } from '@homeport/protocol';
import { Tenures, type LostSlot, type Raised, type Slot, type Tenure } from '../document/slot.js';
import type { Cancel, Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import type { LeaseTable, NodeInfo, Renewed, SlotRow } from './lease-table.js';
import type { Membership } from './membership.js';
import type { SlotMap } from './slot-map.js';

export interface LeaseSettings {
  readonly ttlMs: number;
  readonly marginMs: number;
  readonly renewalMs: number;
}

export const DEFAULT_LEASE_SETTINGS: LeaseSettings = { ttlMs: 3_000, marginMs: 100, renewalMs: 750 };

/** Whoever must act in the moment in which slots come or go. */
export interface Estate {
  gained(slots: readonly Slot[]): void;
  lost(slots: readonly LostSlot[]): void;
}

export class SlotKeeper extends Tenures {
  /** Resolves, once, with the reason why this node must end. */
  readonly lost: Promise<string>;

  readonly #me: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #membership: Membership;
  readonly #map: SlotMap;
  readonly #estate: Estate;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #settings: LeaseSettings;
  readonly #epochs = new Map<Slot, Epoch>();
  #state: 'joining' | 'keeping' | 'lost' | 'left' = 'joining';
  #leaseUntilMs = -Infinity;
  /** How often the lease connection was lost. */
  #breaks = 0;
  /** Of the database, as the last renewal saw it. */
  #history: { readonly timeline: Timeline; readonly renewals: number } | undefined;
  #renewalMs: number | undefined;
  #renewing: Promise<void> | undefined;
  #next: Cancel | undefined;
  #tellLost: (reason: string) => void = () => {};

  constructor(parts: {
    readonly me: NodeInfo;
    readonly leases: LeaseTable;
    readonly membership: Membership;
    readonly map: SlotMap;
    readonly estate: Estate;
    readonly clock: Clock;
    readonly probe: Probe;
    readonly settings: LeaseSettings;
  }) {
    super();
    this.#me = parts.me;
    this.#leases = parts.leases;
    this.#membership = parts.membership;
    this.#map = parts.map;
    this.#estate = parts.estate;
    this.#clock = parts.clock;
    this.#probe = parts.probe;
    this.#settings = parts.settings;
    this.lost = new Promise((resolve) => (this.#tellLost = resolve));
  }

  get state(): 'joining' | 'keeping' | 'lost' | 'left' {
    return this.#state;
  }

  /** How long the last renewal took; undefined: it failed. */
  get renewalMs(): number | undefined {
    return this.#renewalMs;
  }

  get slots(): readonly Slot[] {
    return [...this.#epochs.keys()];
  }

  override epochOf(slot: Slot): Epoch | undefined {
    return this.#epochs.get(slot);
  }

  override mayServe(slot: Slot): boolean {
    return this.#clock.monotonicMs() < this.#leaseUntilMs && this.#epochs.has(slot);
  }

  override elsewhere(slot: Slot): Refusal {
    const owner = this.#map.ownerOf(slot);
    const row = owner === undefined || owner === this.#me.id ? undefined : this.#membership.find(owner);
    if (row === undefined) return refuse.unavailable('the document has no owner at the moment', 250);
    // Who is sent to it waits there for an answer; who asks here again finds the next owner.
    if (this.#membership.seemsToHang(row.id, this.#clock.monotonicMs()))
      return refuse.unavailable('the owner of the document does not answer at the moment', 250);
    return refuse.moved(refOf(row), this.#map.epochOf(slot), 0);
  }

  override async raise(tenures: readonly Tenure[]): Promise<Raised> {
    const { kept, lost } = await this.#leases.raise(this.#me.id, tenures);
    // Ours at a higher epoch: an earlier raise went through and its answer was lost.
    const mine = lost.filter(({ owner }) => owner?.id === this.#me.id);
    const gone = lost.filter(({ owner }) => owner?.id !== this.#me.id);
    this.adopt(kept);
    this.#drop(gone);
    // Somebody took them, perhaps from a node that they declared dead: this one. Then it says so and ends.
    if (gone.length > 0) void this.renewNow();
    if (mine.length === 0) return { kept, lost: gone };
    this.adopt(mine);
    const again = await this.raise(mine.map(({ slot, epoch }) => ({ slot, epoch })));
    return { kept: [...kept, ...again.kept], lost: [...gone, ...again.lost] };
  }

  /** Joins, and renews from now on. */
  async join(): Promise<void> {
    await this.#leases.join(this.#me, () => this.#broken());
    await this.renewNow();
  }

  /** The start is over: what this node has is served. Throws where it lost its place meanwhile. */
  keep(): void {
    if (this.#state !== 'joining') throw new Error('this node was declared dead while it started');
    this.#state = 'keeping';
  }

  /** Ends without a trace: every slot is free, and the next node need not wait. */
  async leave(): Promise<void> {
    this.#stop('left');
    await this.#leases.leave(this.#me.id);
  }

  /** These slots are ours by the lease table. */
  adopt(tenures: readonly Tenure[]): void {
    if (this.#state === 'lost' || this.#state === 'left') return;
    const gained: Slot[] = [];
    const cameBack: LostSlot[] = [];
    for (const { slot, epoch } of tenures) {
      const held = this.#epochs.get(slot);
      if (epoch < this.#map.epochOf(slot)) continue;
      // A raise of our own is one step: in between, somebody else had it, and may have written.
      const wasAway = held !== undefined && epoch > held + 1;
      if (wasAway) cameBack.push({ slot, epoch, owner: undefined });
      if (held === undefined || wasAway) gained.push(slot);
      this.#epochs.set(slot, epoch);
      this.#map.learn({ slot, epoch, owner: this.#me.id });
    }
    if (cameBack.length > 0) this.#estate.lost(cameBack);
    if (gained.length > 0) this.#estate.gained(gained);
  }

  /** Rows of the lease table, as they were at some moment. */
  learn(rows: readonly SlotRow[]): void {
    this.adopt(rows.filter(({ owner }) => owner === this.#me.id));
    const others = rows.filter(({ owner }) => owner !== this.#me.id);
    const lost = others.filter(({ slot, epoch }) => (this.#epochs.get(slot) ?? Infinity) < epoch);
    for (const row of others) this.#map.learn(row);
    this.#drop(lost.map(({ slot, epoch, owner }) => ({ slot, epoch, owner: this.#refOf(owner) })));
  }

  /** Renews at once; where a renewal is under way, that one. Resolves when it is over. */
  renewNow(): Promise<void> {
    if (this.#renewing === undefined) {
      this.#next?.();
      this.#renewing = this.#renew().finally(() => (this.#renewing = undefined));
    }
    return this.#renewing;
  }

  /** One renewal at a time; the next is due one period after this one began. */
  async #renew(): Promise<void> {
    const sentMs = this.#clock.monotonicMs();
    const breaks = this.#breaks;
    const renewal = await this.#leases.renew(this.#me.id);
    if (this.#state === 'lost' || this.#state === 'left') return;
    const tookMs = this.#clock.monotonicMs() - sentMs;
    this.#renewalMs = undefined;
    switch (renewal.kind) {
      case 'renewed':
        if (!this.#isSameHistory(renewal)) return this.#lose('the database is not what it was: history was lost');
        this.#renewalMs = tookMs;
        if (breaks === this.#breaks) this.#leaseUntilMs = sentMs + this.#settings.ttlMs - this.#settings.marginMs;
        this.#membership.observe(renewal, this.#clock.monotonicMs());
        break;
      case 'dead':
        this.#lose('this node was declared dead');
        return;
      case 'failed':
        this.#probe.tell('warn', 'the lease could not be renewed', { reason: renewal.reason });
        break;
    }
    this.#next = this.#clock.after(Math.max(50, this.#settings.renewalMs - tookMs), () => void this.renewNow());
  }

  /** The lease connection is gone. */
  #broken(): void {
    const hadLease = this.#leaseUntilMs > -Infinity;
    this.#breaks++;
    this.#leaseUntilMs = -Infinity;
    this.#membership.lostSight();
    if (!hadLease || this.#state === 'lost' || this.#state === 'left') return;
    // The renewal that is under way, if there is one, was lost with the connection.
    void Promise.resolve(this.#renewing).then(() => this.renewNow());
  }

  /** The same timeline, and a counter that has not gone back. */
  #isSameHistory({ timeline, nodes }: Renewed): boolean {
    const before = this.#history;
    const renewals = nodes.find(({ id }) => id === this.#me.id)?.renewals ?? 0;
    this.#history = { timeline, renewals };
    return before === undefined || (before.timeline === timeline && before.renewals <= renewals);
  }

  #drop(lost: readonly LostSlot[]): void {
    for (const { slot, epoch, owner } of lost) {
      this.#epochs.delete(slot);
      this.#map.learn({ slot, epoch, owner: owner?.id });
    }
    if (lost.length > 0) this.#estate.lost(lost);
  }

  #refOf(owner: string | undefined): NodeRef | undefined {
    const row = owner === undefined ? undefined : this.#membership.find(owner);
    return row && refOf(row);
  }

  #lose(reason: string): void {
    this.#stop('lost');
    this.#epochs.clear();
    this.#probe.tell('alarm', 'this node has lost its place', { reason });
    this.#tellLost(reason);
  }

  #stop(state: 'lost' | 'left'): void {
    this.#state = state;
    this.#leaseUntilMs = -Infinity;
    this.#next?.();
  }
}

export function refOf({ id, name, url }: NodeInfo): NodeRef {
  return { id, name, url };
}
