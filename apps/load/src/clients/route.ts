/**
 * Where a document is asked for next. A `moved` is followed only to an epoch above the last one that is known, so that
 * two nodes with stale maps can not play ping-pong with the client; whatever else happens, the nodes that it knows are
 * asked in turn, and one of them is the owner or knows it.
 */
import type { Epoch, NodeRef } from '@homeport/protocol';

export interface Target {
  readonly url: string;
  /** The name of the node that is meant, if it is known: behind one public address the load balancer goes by it. */
  readonly node: string | undefined;
}

export class Route {
  readonly #known: Target[];
  #at: number;
  #epoch: Epoch | undefined;

  /** The first to be asked is the one at `start`. */
  constructor(urls: readonly string[], start: number) {
    this.#known = urls.map((url) => ({ url, node: undefined }));
    this.#at = start % urls.length;
  }

  get target(): Target {
    return this.#known[this.#at]!;
  }

  /** The highest epoch that is known; a node that is behind it must read its map before it answers. */
  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  opened(epoch: Epoch): void {
    if (this.#epoch === undefined || epoch > this.#epoch) this.#epoch = epoch;
  }

  moved(owner: NodeRef, epoch: Epoch): void {
    if (epoch === this.#epoch && owner.url === this.target.url) return;
    if (this.#epoch !== undefined && epoch <= this.#epoch) return this.next();
    this.#epoch = epoch;
    const found = this.#known.findIndex(({ url }) => url === owner.url);
    this.#at = found < 0 ? this.#known.length : found;
    this.#known[this.#at] = { url: owner.url, node: owner.name };
  }

  /** The node could not be reached, or fell silent. */
  next(): void {
    this.#at = (this.#at + 1) % this.#known.length;
  }
}
