/**
 * Which address to dial. There is one socket, so there is one address: the one that the application gave, or that of
 * the owner that a `moved` named. Where an owner's own address can not be reached, the first one is used again.
 */
import type { Epoch, NodeRef } from '@homeport/protocol';

export class Route {
  readonly #home: string;
  #url: string;
  /** By document: the epoch of the last `moved` that was followed. Two stale maps can not play ping-pong with us. */
  readonly #epochs = new Map<string, Epoch>();

  constructor(url: string) {
    this.#home = url;
    this.#url = url;
  }

  get url(): string {
    return this.#url;
  }

  epoch(document: string): Epoch | undefined {
    return this.#epochs.get(document);
  }

  /** `dial`: the owner is elsewhere, and `url` leads there now. `ask`: ask again where we are. */
  follow(document: string, owner: NodeRef, epoch: Epoch, here: NodeRef): 'dial' | 'ask' {
    const followed = this.#epochs.get(document);
    if (followed !== undefined && epoch <= followed) return 'ask';
    this.#epochs.set(document, epoch);
    if (owner.id === here.id) return 'ask';
    this.#url = owner.url;
    return 'dial';
  }

  /** The address could not be reached. */
  failed(): void {
    this.#url = this.#home;
  }

  forget(document: string): void {
    this.#epochs.delete(document);
  }
}
