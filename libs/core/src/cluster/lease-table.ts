import type { Raised, Tenure } from '../document/slot.js';

/** One server process, one incarnation. */
export interface NodeInfo {
  /** `<name>.<incarnation>`: a restarted process is a new node. */
  readonly id: string;
  readonly name: string;
  /** Where clients reach it. */
  readonly url: string;
  /** Where it listens, for proof of death on its own machine. */
  readonly host: string;
  readonly port: number;
  readonly machineId: string;
}

export interface NodeRow extends NodeInfo {
  readonly state: 'up' | 'draining' | 'dead' | 'left';
  /** Raised by every renewal. An observer judges by seeing it stand still, never by comparing clocks. */
  readonly renewals: number;
}

export type Renewal =
  | { readonly kind: 'renewed'; readonly nodes: readonly NodeRow[] }
  /** My row is gone, or says `dead`: drop everything and exit. */
  | { readonly kind: 'dead' }
  /** No answer, or an error: nothing is known. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Who is up and who owns what: rows in Postgres, the only authority. Every change of ownership is a compare-and-set.
 *
 * A call rejects when the table can not be reached (nothing is known then, except where the answer has a `failed`).
 */
export abstract class LeaseTable {
  /** The nodes that are `up` or `draining`, as they stand. */
  abstract nodes(): Promise<readonly NodeRow[]>;

  /** Writes my row as `up` and takes my advisory lock, which lives as long as my lease connection. Rejects if the id exists. */
  abstract join(node: NodeInfo): Promise<void>;

  /** Raises my `renewals` on the lease connection and returns everyone's rows. Never rejects. */
  abstract renew(nodeId: string): Promise<Renewal>;

  /** Whether the advisory lock of that node is free: its lease connection is gone. */
  abstract isLockFree(nodeId: string): Promise<boolean>;

  /**
   * One transaction: both node rows locked in id order, I must be `up`, the victim is declared `dead` by compare-and-set
   * on the renewals last seen, and each slot that it, or nobody living, owns becomes mine at epoch + 1.
   * Without a victim only the slots of nobody living are taken. Answers the slots taken; `undefined` when the
   * compare-and-set failed (the victim lives) and nothing was changed.
   */
  abstract takeOver(
    me: string,
    victim: { readonly id: string; readonly renewals: number } | undefined,
  ): Promise<readonly Tenure[] | undefined>;

  /** Raises the epoch of each slot that is still mine at exactly the given epoch; tells who has the others. */
  abstract raise(me: string, tenures: readonly Tenure[]): Promise<Raised>;

  /** Planned end: my row says `left`, my slots belong to nobody, my lock is released. */
  abstract leave(me: string): Promise<void>;
}
