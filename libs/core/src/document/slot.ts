import type { DocumentId, Epoch, NodeRef, Refusal } from '@homeport/protocol';

declare const brand: unique symbol;
/** Hash bucket of documents: the unit of ownership. 0 … SLOTS - 1. */
export type Slot = number & { readonly [brand]: 'Slot' };

/** Fixed for ever: the slot of a document is stored beside it. */
export const SLOTS = 1024;

/** FNV-1a over the UTF-16 units of the id, folded to a slot. */
export function slotOf(document: DocumentId): Slot {
  let hash = 0x811c9dc5;
  for (let i = 0; i < document.length; i++) hash = Math.imul(hash ^ document.charCodeAt(i), 0x01000193);
  return (((hash >>> 16) ^ hash) & (SLOTS - 1)) as Slot;
}

/** The right to act for a slot: the epoch in which it was taken. Every asynchronous result carries the tenure it began in. */
export interface Tenure {
  readonly slot: Slot;
  readonly epoch: Epoch;
}

/** Where a slot went. `owner` undefined: nobody has it at the moment. */
export interface LostSlot {
  readonly slot: Slot;
  readonly epoch: Epoch;
  readonly owner: NodeRef | undefined;
}

export interface Raised {
  readonly kept: readonly Tenure[];
  readonly lost: readonly LostSlot[];
}

/** What the documents of this node know of ownership. */
export abstract class Tenures {
  /** The epoch under which this node writes to the slot; undefined: it is not ours. */
  abstract epochOf(slot: Slot): Epoch | undefined;

  /**
   * Whether an answer from memory is right at this moment: the slot is ours and the lease has not run out. Asked in the
   * same synchronous block in which the answer is taken; that makes a read linearizable however late its reply leaves.
   */
  abstract mayServe(slot: Slot): boolean;

  /** What to answer for a slot that is not ours: `moved`, where its owner is known and seems to be alive. */
  abstract elsewhere(slot: Slot): Refusal;

  /**
   * Raises the epoch of each slot that is still ours at exactly that epoch, so that no earlier write of ours can come
   * through any more; tells which are lost. Rejects when the lease table can not be reached: nothing is known then.
   */
  abstract raise(tenures: readonly Tenure[]): Promise<Raised>;
}
