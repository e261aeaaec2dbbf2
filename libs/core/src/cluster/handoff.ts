/**
 * The planned move of some slots from this node to another that lives.
 *
 *   freezing ── every push that was taken is answered ──> transferring ── the rows say so ──> moved
 *       └── not within the limit ──> kept                      └── they do not, or no answer: raise ──> kept, or moved
 *
 * While frozen nothing new is begun for these slots: pushes and reads wait at the gate, so what this node showed last is
 * what the next owner loads. The transfer is one transaction, the linearization point. When its answer does not come, the
 * epochs are raised by compare-and-set: where that works the transfer did not come through, and can not any more.
 *
 * Nobody stalls for it: before the transfer the sessions here begin to hear what the next owner will publish; when that
 * node knows what it has, the gate opens, and what waited is forwarded, in order. So are the sessions served from then on,
 * over the new owner, until they go there, one after another. Where the bus is away they are sent to it at once instead.
 */
import type { DocumentHost } from '../document/document-host.js';
import type { Slot, Tenure } from '../document/slot.js';
import { pause, type Clock } from '../runtime/clock.js';
import type { LeaseTable, NodeRow } from './lease-table.js';
import type { SlotKeeper } from './slot-keeper.js';

const QUIET_LIMIT_MS = 1_000;
const QUIET_POLL_MS = 2;
/** Sessions that can not hear the next owner in this time are sent to it at once. */
const LISTEN_LIMIT_MS = 50;
const SETTLE_PAUSE_MS = 250;

/** The sessions of this node, when slots are about to go. */
export interface Parting {
  /**
   * What is published of these slots by their next owner is heard by the sessions that have them open here, as far as
   * that can be had while `isMoving`. Never rejects.
   */
  listenAhead(isMoving: (slot: Slot) => boolean): Promise<void>;
  /** Slots that were about to go did not, but for those that `isMoving`. */
  stayed(isMoving: (slot: Slot) => boolean): void;
}

export interface HandoffParts {
  readonly me: string;
  readonly leases: LeaseTable;
  readonly keeper: SlotKeeper;
  readonly host: DocumentHost;
  readonly clock: Clock;
  readonly household: Parting;
  /** That node looks at what it was given. Resolves when it serves that, or can not be told. Never rejects. */
  readonly given: (node: string) => Promise<void>;
}

/** Answers how many moved. Never rejects. */
export async function handOff(parts: HandoffParts, slots: readonly Slot[], to: NodeRow): Promise<number> {
  const { keeper, host, household, clock } = parts;
  const isMoving = (slot: Slot): boolean => host.isFrozen(slot);
  host.freeze(slots);
  try {
    const listening = household.listenAhead(isMoving);
    if (!(await isQuiet(parts, new Set(slots)))) return 0;
    await Promise.race([listening, pause(clock, LISTEN_LIMIT_MS)]);
    const moved = await transfer(parts, tenuresOf(keeper, slots), to);
    keeper.learn(moved.map((tenure) => ({ ...tenure, owner: to.id })));
    if (moved.length > 0) await parts.given(to.id);
    return moved.length;
  } finally {
    host.thaw(slots);
    household.stayed(isMoving);
  }
}

async function isQuiet({ host, clock }: HandoffParts, slots: ReadonlySet<Slot>): Promise<boolean> {
  const endMs = clock.monotonicMs() + QUIET_LIMIT_MS;
  while (!host.isQuiet(slots)) {
    if (clock.monotonicMs() >= endMs) return false;
    await pause(clock, QUIET_POLL_MS);
  }
  return true;
}

async function transfer(parts: HandoffParts, tenures: readonly Tenure[], to: NodeRow): Promise<readonly Tenure[]> {
  const { me, leases, keeper, clock } = parts;
  try {
    return await leases.handOff(me, tenures, to.id);
  } catch {
    for (;;) {
      if (keeper.state !== 'keeping') return [];
      try {
        const { lost } = await keeper.raise(tenures);
        return lost.filter(({ owner }) => owner?.id === to.id);
      } catch {
        await pause(clock, SETTLE_PAUSE_MS);
      }
    }
  }
}

/** Slots that were lost meanwhile are not ours to give. */
function tenuresOf(keeper: SlotKeeper, slots: readonly Slot[]): Tenure[] {
  return slots.flatMap((slot) => {
    const epoch = keeper.epochOf(slot);
    return epoch === undefined ? [] : [{ slot, epoch }];
  });
}
