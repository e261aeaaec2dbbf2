/**
 * Who owns which slot, as far as this node knows. It may be behind, never wrong about the past: of two views of a slot
 * the one with the higher epoch is the younger.
 */
import type { Epoch } from '@homeport/protocol';
import { SLOTS, type Slot } from '../document/slot.js';
import type { SlotRow } from './lease-table.js';

export class SlotMap {
  readonly #owners = Array.from<string | undefined>({ length: SLOTS });
  readonly #epochs = Array.from({ length: SLOTS }, () => 0);

  /** The sum of all epochs, as in the lease table. */
  get version(): number {
    let version = 0;
    for (const epoch of this.#epochs) version += epoch;
    return version;
  }

  /** Of each slot the epoch that need not be told again; -1 where the owner is not known: it may be by the same epoch. */
  get known(): readonly number[] {
    return this.#epochs.map((epoch, slot) => (this.#owners[slot] === undefined ? -1 : epoch));
  }

  ownerOf(slot: Slot): string | undefined {
    return this.#owners[slot];
  }

  epochOf(slot: Slot): Epoch {
    return this.#epochs[slot] as Epoch;
  }

  /** Nobody has it any more by the same epoch: its owner left. */
  learn({ slot, owner, epoch }: SlotRow): void {
    if (epoch < this.epochOf(slot)) return;
    this.#owners[slot] = owner;
    this.#epochs[slot] = epoch;
  }

  countOf(owner: string): number {
    return this.#owners.filter((each) => each === owner).length;
  }
}
