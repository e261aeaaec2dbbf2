import type { Position } from '@homeport/protocol';

export interface Committed {
  /** Where the write stands. A read that demands this position sees it. */
  readonly position: Position;
}

/**
 * The promise of a write: resolves when the write is committed, rejects with a `HomeportError` when it is refused.
 * Most writes of an interactive program are awaited by nobody. Such a promise never becomes an unhandled rejection:
 * it knows whether somebody waits, and whoever rejects it asks.
 */
export class Commit extends Promise<Committed> {
  #awaited = false;

  /** Promises derived by `then` are plain ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  static make(): { commit: Commit; resolve: (committed: Committed) => void; reject: (error: unknown) => void } {
    let resolve!: (committed: Committed) => void;
    let reject!: (error: unknown) => void;
    const commit = new Commit((onCommitted, onRefused) => {
      resolve = onCommitted;
      reject = onRefused;
    });
    void Promise.prototype.then.call(commit, undefined, () => undefined);
    return { commit, resolve, reject };
  }

  get awaited(): boolean {
    return this.#awaited;
  }

  override then<A = Committed, B = never>(
    onCommitted?: ((committed: Committed) => A | PromiseLike<A>) | null,
    onRefused?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#awaited = true;
    return super.then(onCommitted, onRefused);
  }
}
