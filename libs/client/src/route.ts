/**
 * What is known of a document's owner. A `moved` is news only with an epoch above the last one that was followed: two
 * nodes with stale maps that name each other can not play ping-pong with us.
 */
import type { Epoch, NodeRef } from '@homeport/protocol';

export class Route {
  #owner: NodeRef | undefined;
  #epoch: Epoch | undefined;

  get owner(): NodeRef | undefined {
    return this.#owner;
  }

  /** Goes with every `open`: a node whose map is older reads it anew before it answers. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** A `moved` named this owner. False: that is no news, and not followed. */
  follow(owner: NodeRef, epoch: Epoch): boolean {
    if (this.#epoch !== undefined && epoch <= this.#epoch) return false;
    this.arrive(owner, epoch);
    return true;
  }

  /** The owner itself has answered: so it is, whatever was said before. */
  arrive(owner: NodeRef, epoch: Epoch): void {
    this.#owner = owner;
    this.#epoch = epoch;
  }
}
