/**
 * A node's part in the cluster. Every node runs the same few rules over the same rows, and needs nobody to tell it what to
 * do; where two have different views for a moment, a compare-and-set in the lease table settles it.
 *
 * At each look:
 *   the map      is behind the version that the last renewal saw: read it. What is ours by it is ours, what is not is gone
 *   the dead     a node whose counter stood still for a whole lease is declared dead, by compare-and-set on that counter
 *   the free     slots without a living owner are taken: those that placement gives to this node at once, those that it
 *                gives to another only when they have been free for a while, for that node may be about to die as well
 *   the surplus  slots that placement gives to another are handed to it, some at a time: when nothing has changed for a
 *                while, or at once if this node drains
 *
 * Looks follow one another, never overlap, and come now and then, when a notice tells of a younger map or of a change, and
 * when a peer's connection breaks: a notice never decides anything, it only makes a node look.
 */
import type { DocumentHost } from '../document/document-host.js';
import { SLOTS, type Slot, type Tenure } from '../document/slot.js';
import { pause, type Cancel, type Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import type { ClusterEvent } from './cluster-view.js';
import { handOff, type HandoffParts } from './handoff.js';
import type { LeaseTable, NodeInfo, NodeRow } from './lease-table.js';
import type { Membership } from './membership.js';
import { DeathWatch } from './death-watch.js';
import type { Peers } from './peers.js';
import { placement } from './placement.js';
import type { SlotKeeper } from './slot-keeper.js';
import type { SlotMap } from './slot-map.js';

export interface StewardSettings {
  /** Between two looks where nothing calls for one. */
  readonly lookMs: number;
  /** A change of membership is left alone for so long before slots are moved for the sake of balance. */
  readonly rebalanceAfterMs: number;
  /** Slots handed over at a time, and the pause between two such batches. */
  readonly handoffSlots: number;
  readonly handoffPauseMs: number;
  /** Slots that another node should take are taken by this one when they were free for so long. */
  readonly freeGraceMs: number;
  /** Whether a node whose lock is free and whose address refuses connections is taken to be dead at once. */
  readonly proofOfDeath: boolean;
}

export const DEFAULT_STEWARD_SETTINGS: StewardSettings = {
  lookMs: 250,
  rebalanceAfterMs: 10_000,
  handoffSlots: 64,
  handoffPauseMs: 100,
  freeGraceMs: 1_500,
  proofOfDeath: true,
};

const DRAIN_PAUSE_MS = 5;

export class Steward {
  readonly #me: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #keeper: SlotKeeper;
  readonly #membership: Membership;
  readonly #map: SlotMap;
  readonly #deaths: DeathWatch;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #settings: StewardSettings;
  readonly #announce: (event: ClusterEvent) => void;
  readonly #handoff: HandoffParts;
  /** Slots without a living owner, and since when they were seen to be. */
  readonly #freeSinceMs = new Map<Slot, number>();
  #reading: Promise<void> | undefined;
  #readingNext: Promise<void> | undefined;
  #isTroubled = false;
  #wish: { readonly key: string; readonly owners: readonly string[] } | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #next: Cancel | undefined;
  #handedOffMs = -Infinity;
  #state: 'idle' | 'looking' | 'draining' | 'stopped' = 'idle';

  constructor(parts: {
    readonly me: NodeInfo;
    readonly leases: LeaseTable;
    readonly keeper: SlotKeeper;
    readonly membership: Membership;
    readonly map: SlotMap;
    readonly host: DocumentHost;
    readonly peers: Peers;
    readonly clock: Clock;
    readonly probe: Probe;
    readonly settings: StewardSettings;
    /** What this node did that the others should know of. */
    readonly announce: (event: ClusterEvent) => void;
    readonly household: HandoffParts['household'];
    readonly given: HandoffParts['given'];
  }) {
    this.#me = parts.me;
    this.#leases = parts.leases;
    this.#keeper = parts.keeper;
    this.#membership = parts.membership;
    this.#map = parts.map;
    this.#clock = parts.clock;
    this.#probe = parts.probe;
    this.#settings = parts.settings;
    this.#announce = parts.announce;
    this.#handoff = { ...parts, me: parts.me.id };
    const { proofOfDeath } = parts.settings;
    this.#deaths = new DeathWatch({ ...parts, proofOfDeath, suspected: () => void this.look() });
  }

  /** Resolves when the first look is over: this node knows the map, and has taken what was free. */
  async start(): Promise<void> {
    this.#state = 'looking';
    await this.#deaths.start();
    await this.look();
  }

  /** Looks now, and once more if it is looking already. */
  look(): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'idle') return Promise.resolve();
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#next?.();
    this.#looking = this.#lookOn().finally(() => {
      this.#looking = undefined;
      if (this.#state !== 'stopped') this.#next = this.#clock.after(this.#settings.lookMs, () => void this.look());
    });
    return this.#looking;
  }

  /** A notice says what version of the map another node has. */
  heardOf(version: number): void {
    if (version <= this.#map.version) return;
    // Not only by the next look: that may be waiting for something, and what is this node's by the map waits for it.
    this.readMap().then(
      () => this.look(),
      () => {},
    );
  }

  /** Hands over every slot, as long as there is somebody to take them. Resolves when none is left, or after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    if (this.#state !== 'looking') return;
    this.#state = 'draining';
    const endMs = this.#clock.monotonicMs() + limitMs;
    await this.#leases.drain(this.#me.id).catch(() => {});
    await this.#keeper.renewNow();
    for (;;) {
      const leftMs = endMs - this.#clock.monotonicMs();
      if (this.#keeper.slots.length === 0 || this.#heirs().length === 0 || leftMs <= 0) return;
      await Promise.race([this.look(), pause(this.#clock, leftMs)]);
      await pause(this.#clock, DRAIN_PAUSE_MS);
    }
  }

  stop(): void {
    this.#state = 'stopped';
    this.#next?.();
    this.#deaths.stop();
  }

  async #lookOn(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#lookOnce();
        this.#isTroubled = false;
      } catch (error) {
        if (!this.#isTroubled) this.#probe.tell('warn', 'the cluster can not be looked at', { reason: String(error) });
        this.#isTroubled = true;
        return;
      }
    } while (this.#again && this.#isActive);
  }

  async #lookOnce(): Promise<void> {
    this.#deaths.watchPeers();
    if (this.#membership.version > this.#map.version) await this.readMap();
    for (const victim of await this.#deaths.dead()) await this.#takeOver(victim);
    await this.#takeFree();
    await this.#handOver();
  }

  /** A read that began after this call; many who ask at once share one. Rejects where the lease table can not be reached. */
  readMap(): Promise<void> {
    if (this.#reading !== undefined) {
      const ended = this.#reading.catch(() => {});
      this.#readingNext ??= ended.then(() => {
        this.#readingNext = undefined;
        return this.readMap();
      });
      return this.#readingNext;
    }
    const rows = this.#leases.slots(this.#map.known);
    this.#reading = rows.then((read) => this.#keeper.learn(read)).finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #takeOver(victim: NodeRow): Promise<void> {
    if (!this.#isActive || this.#state === 'draining') return;
    const startedMs = this.#clock.monotonicMs();
    const left = this.#slotsWhere((owner) => owner === victim.id);
    const heirs = this.#membership.candidates(startedMs).filter(({ id }) => id !== victim.id);
    const share = this.#wished(heirs, left);
    const taken = await this.#leases.takeOver(this.#me.id, victim, share);
    if (taken !== undefined) {
      this.#announce({ kind: 'died', node: victim.name });
      this.#took(taken, victim.name, startedMs);
    }
    // Declared dead by this node or by another: what is left of its slots is free now.
    await this.#keeper.renewNow();
    this.#again = true;
  }

  async #takeFree(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const free = this.#slotsWhere((owner) => owner === undefined || this.#membership.find(owner) === undefined);
    const isFree = new Set(free);
    for (const slot of this.#freeSinceMs.keys()) if (!isFree.has(slot)) this.#freeSinceMs.delete(slot);
    if (free.length === 0) return;
    for (const slot of free) if (!this.#freeSinceMs.has(slot)) this.#freeSinceMs.set(slot, nowMs);
    if (this.#state === 'draining' || this.#membership.find(this.#me.id)?.state !== 'up') return;
    const mine = new Set(this.#wished(this.#membership.candidates(nowMs), free));
    const wanted = free.filter(
      (slot) => mine.has(slot) || nowMs - this.#freeSinceMs.get(slot)! >= this.#settings.freeGraceMs,
    );
    if (wanted.length === 0) return;
    const taken = (await this.#leases.takeOver(this.#me.id, undefined, wanted)) ?? [];
    this.#took(taken, 'nobody', nowMs);
    if (taken.length < wanted.length) await this.readMap();
  }

  #took(taken: readonly Tenure[], from: string, startedMs: number): void {
    if (taken.length === 0) return;
    this.#keeper.adopt(taken);
    const tookMs = this.#clock.monotonicMs() - startedMs;
    this.#announce({ kind: 'taken_over', node: this.#me.name, from, slots: taken.length, tookMs });
  }

  async #handOver(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const isDraining = this.#state === 'draining';
    const isCalm = nowMs - this.#membership.changedMs >= this.#settings.rebalanceAfterMs;
    const isPaused = nowMs - this.#handedOffMs < this.#settings.handoffPauseMs;
    if (!isDraining && (!isCalm || isPaused)) return;
    const heirs = isDraining ? this.#heirs() : this.#membership.candidates(nowMs);
    if (heirs.length === 0) return;
    const [to, slots] = this.#nextBatch(heirs) ?? [];
    if (to === undefined || slots === undefined) return;
    const moved = await handOff(this.#handoff, slots, to);
    this.#handedOffMs = this.#clock.monotonicMs();
    const tookMs = this.#handedOffMs - nowMs;
    if (moved > 0) this.#announce({ kind: 'handed_off', node: to.name, from: this.#me.name, slots: moved, tookMs });
    // The target may be gone, and not known to be.
    if (moved === 0) await this.#keeper.renewNow();
  }

  /** The first slots that placement gives to one other node. */
  #nextBatch(heirs: readonly NodeRow[]): readonly [NodeRow, readonly Slot[]] | undefined {
    const wish = this.#wishOf(heirs);
    const leaving = this.#keeper.slots.filter((slot) => wish[slot] !== this.#me.id);
    const to = heirs.find(({ id }) => id === wish[leaving[0] ?? -1]);
    if (to === undefined || !this.#membership.isFresh(to.id, this.#clock.monotonicMs())) return undefined;
    return [to, leaving.filter((slot) => wish[slot] === to.id).slice(0, this.#settings.handoffSlots)];
  }

  /** Of these slots, those that placement gives to this node. */
  #wished(candidates: readonly NodeRow[], slots: readonly Slot[]): readonly Slot[] {
    if (candidates.length === 0) return [];
    const wish = this.#wishOf(candidates);
    return slots.filter((slot) => wish[slot] === this.#me.id);
  }

  #wishOf(candidates: readonly NodeRow[]): readonly string[] {
    const key = `${this.#map.version} ${candidates.map(({ id }) => id).join(' ')}`;
    if (this.#wish?.key !== key) this.#wish = { key, owners: placement(candidates, (slot) => this.#map.ownerOf(slot)) };
    return this.#wish.owners;
  }

  /** Who can take the slots of a node that goes. */
  #heirs(): readonly NodeRow[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#membership.candidates(nowMs, this.#me.id).filter(({ id }) => this.#membership.isFresh(id, nowMs));
  }

  #slotsWhere(holds: (owner: string | undefined) => boolean): readonly Slot[] {
    const found: Slot[] = [];
    for (let slot = 0; slot < SLOTS; slot++) if (holds(this.#map.ownerOf(slot as Slot))) found.push(slot as Slot);
    return found;
  }

  get #isActive(): boolean {
    return this.#state === 'looking' || this.#state === 'draining';
  }
}
