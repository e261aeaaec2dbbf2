import type { Op, Seq } from '@homeport/protocol';
import { Commit, type Committed } from './commit.js';
import { foldingOf, type Folding } from './fold.js';
import type { HomeportError } from './homeport-error.js';

export type Stage =
  | { readonly at: 'unsent' }
  | { readonly at: 'sent'; readonly opNo: number; readonly firstSentMs: number }
  | { readonly at: 'due'; readonly opNo: number; readonly firstSentMs: number }
  | { readonly at: 'acked'; readonly opNo: number; readonly seq: Seq };

export type Sent = Extract<Stage, { at: 'sent' }>;

/** `whole`: sent as it was made. `mergeable`: it has no condition, and what follows may be folded into it. */
export type PushKind = 'whole' | 'mergeable';

export class PendingPush {
  stage: Stage = { at: 'unsent' };
  readonly kind: PushKind;
  readonly folding: Folding;
  #waiters: ReturnType<typeof Commit.make>[] = [];

  constructor(kind: PushKind, ops: readonly Op[]) {
    this.kind = kind;
    this.folding = foldingOf(ops);
  }

  get ops(): readonly Op[] {
    return this.folding.ops;
  }

  wait(): Commit {
    const waiter = Commit.make();
    this.#waiters.push(waiter);
    return waiter.commit;
  }

  resolve(committed: Committed): void {
    for (const { resolve } of this.#waiters) resolve(committed);
    this.#waiters = [];
  }

  /** Answers the promises that were rejected. */
  reject(error: HomeportError): readonly Commit[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(error);
    return waiters.map(({ commit }) => commit);
  }
}
