/**
 * How a node that serves alone comes to its slots: all of them, from whoever had them.
 *
 * `careful`: only from nodes proven or seen to be dead; a living one ends the start. `alone`: something else proves that
 * no other node can live (the lock on the data folder). `forced`: an operator says so; a living node will be fenced.
 */
import { pause, type Clock } from '../runtime/clock.js';
import type { LeaseTable, NodeInfo, NodeRow } from './lease-table.js';
import { LifeSigns } from './life-signs.js';
import type { LeaseSettings, SlotKeeper } from './slot-keeper.js';

export type Claim = 'careful' | 'alone' | 'forced';

export class AllSlots {
  readonly #me: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #keeper: SlotKeeper;
  readonly #clock: Clock;
  readonly #signs: LifeSigns;

  constructor(me: NodeInfo, leases: LeaseTable, keeper: SlotKeeper, clock: Clock, settings: LeaseSettings) {
    this.#me = me;
    this.#leases = leases;
    this.#keeper = keeper;
    this.#clock = clock;
    this.#signs = new LifeSigns(me, leases, clock, settings.marginMs);
  }

  /** Deals with the nodes that are still in the table, and takes every slot. Rejects beside a living node. */
  async take(claim: Claim): Promise<void> {
    for (;;) {
      const others = (await this.#leases.nodes()).filter(({ id }) => id !== this.#me.id);
      if (others.length === 0) break;
      for (const other of others) {
        const sign = claim === 'alone' ? 'over' : await this.#signs.of(other);
        if (sign === 'over' || claim === 'forced') {
          const taken = await this.#leases.takeOver(this.#me.id, other);
          // It may live, and answer from memory until its lease has run out or a renewal has told it.
          if (sign !== 'over' && taken !== undefined) await pause(this.#clock, this.#signs.outliveMs(other));
          this.#keeper.adopt(taken ?? []);
        } else if (sign === 'living') throw new Error(livingNode(other));
      }
      await pause(this.#clock, 100);
    }
    this.#keeper.adopt((await this.#leases.takeOver(this.#me.id, undefined)) ?? []);
  }
}

function livingNode({ name, url }: NodeRow): string {
  return (
    `another Homeport node lives on this database: ${name} at ${url}. Without REDIS_URL one node serves a database: ` +
    `set it for all of them, stop the other, or start with FORCE_TAKEOVER=true to fence it and take its documents.`
  );
}
