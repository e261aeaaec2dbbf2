/**
 * The planned move of some slots from this node to another that lives.
 *
 *   freezing ── every push that was taken is answered ──> transferring ── the rows say so ──> moved
 *       └── not within the limit ──> kept                      └── they do not, or no answer: raise ──> kept, or moved
 *
 * While frozen nothing new is begun for these slots: pushes and reads wait at the gate, so what this node showed last is
 * what the next owner loads. The transfer is one transaction, the linearization point. When its answer does not come, the
 * epochs are raised by compare-and-set: where that works the transfer did not come through, and can not any more.
 */
import type { DocumentHost } from '../document/document-host.js';
import type { Slot, Tenure } from '../document/slot.js';
import { pause, type Clock } from '../runtime/clock.js';
import type { LeaseTable, NodeRow } from './lease-table.js';
import type { SlotKeeper } from './slot-keeper.js';

const QUIET_LIMIT_MS = 1_000;
const QUIET_POLL_MS = 2;
const SETTLE_PAUSE_MS = 250;

export interface HandoffParts {
  readonly me: string;
  readonly leases: LeaseTable;
  readonly keeper: SlotKeeper;
  readonly host: DocumentHost;
  readonly clock: Clock;
}

/** Answers how many moved. Never rejects. */
export async function handOff(parts: HandoffParts, slots: readonly Slot[], to: NodeRow): Promise<number> {
  const { keeper, host } = parts;
  host.freeze(slots);
  try {
    if (!(await isQuiet(parts, new Set(slots)))) return 0;
    const moved = await transfer(parts, tenuresOf(keeper, slots), to);
    keeper.learn(moved.map((tenure) => ({ ...tenure, owner: to.id })));
    return moved.length;
  } finally {
    host.thaw(slots);
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
