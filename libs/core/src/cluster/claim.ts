/**
 * How a node that serves alone comes to its slots: all of them, from whoever had them.
 *
 * `careful`: only from nodes proven or seen to be dead; a living one ends the start. `alone`: something else proves that
 * no other node can live (the lock on the data folder). `forced`: an operator says so; a living node will be fenced.
 */
import { pause, type Clock } from '../runtime/clock.js';
import { isSameAddress, type LeaseTable, type NodeInfo, type NodeRow } from './lease-table.js';
import type { LeaseSettings, SlotKeeper } from './slot-keeper.js';

export type Claim = 'careful' | 'alone' | 'forced';

interface Seen {
  readonly renewals: number;
  readonly sinceMs: number;
}

export class AllSlots {
  readonly #me: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #keeper: SlotKeeper;
  readonly #clock: Clock;
  readonly #settings: LeaseSettings;

  constructor(me: NodeInfo, leases: LeaseTable, keeper: SlotKeeper, clock: Clock, settings: LeaseSettings) {
    this.#me = me;
    this.#leases = leases;
    this.#keeper = keeper;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Deals with the nodes that are still in the table, and takes every slot. Rejects beside a living node. */
  async take(claim: Claim): Promise<void> {
    const seen = new Map<string, Seen>();
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
          this.#keeper.adopt(taken ?? []);
        } else if (other.renewals !== before.renewals) throw new Error(livingNode(other));
      }
      await pause(this.#clock, 100);
    }
    this.#keeper.adopt((await this.#leases.takeOver(this.#me.id, undefined)) ?? []);
  }

  /** Its lock is free and its address is ours, or its counter has stood still for a whole lease. */
  async #isOver(other: NodeRow, seen: Seen): Promise<boolean> {
    if (other.renewals !== seen.renewals) return false;
    if (this.#clock.monotonicMs() - seen.sinceMs >= this.#outliveMs) return true;
    return isSameAddress(other, this.#me) && (await this.#leases.isLockFree(other.id));
  }

  /** After this long on this clock, no lease runs any more that was counted on another from a moment before. */
  get #outliveMs(): number {
    return this.#settings.ttlMs * 1.005 + this.#settings.marginMs;
  }
}

function livingNode({ name, url }: NodeRow): string {
  return (
    `another Homeport node lives on this database: ${name} at ${url}. Without REDIS_URL one node serves a database: ` +
    `set it for all of them, stop the other, or start with FORCE_TAKEOVER=true to fence it and take its documents.`
  );
}
