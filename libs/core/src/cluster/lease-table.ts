import type { Timeline } from '@homeport/protocol';
import type { Raised, Slot, Tenure } from '../document/slot.js';

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
  /** By which it judges the others, and serves. The same for all who live at a time. */
  readonly leaseTtlMs: number;
}

/** Only one of the two can listen there: where this node does, the other has ended. */
export function isSameAddress(one: NodeInfo, other: NodeInfo): boolean {
  return one.machineId === other.machineId && one.host === other.host && one.port === other.port;
}

export interface NodeRow extends NodeInfo {
  readonly state: 'up' | 'draining' | 'dead' | 'left';
  /** Raised by every renewal. An observer judges by seeing it stand still, never by comparing clocks. */
  readonly renewals: number;
}

/** Who owns a slot. `owner` undefined: nobody. */
export interface SlotRow extends Tenure {
  readonly owner: string | undefined;
}

export interface Renewed {
  readonly kind: 'renewed';
  /** Those that are `up` or `draining`. */
  readonly nodes: readonly NodeRow[];
  /** The sum of all epochs: raised whenever a slot gets an owner. */
  readonly version: number;
  /** Another text after every restart of the database server: counters may have stood still for its sake. */
  readonly serverStart: string;
  /** For how long the database server has been up, by its own clock. */
  readonly serverAgeMs: number;
  /** Another one: the database was restored, or failed over, and does not hold any more what it held. */
  readonly timeline: Timeline;
  /** The id of the youngest revocation; 0: there is none. */
  readonly revoked: number;
}

export type Renewal =
  | Renewed
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

  /**
   * Who owns what, in the order of the slots. `known` is the epoch of each, from slot 0 on, as the asker knows it: what is
   * not above it is left out, unless nobody owns it. Where there is none for a slot, it is told of.
   */
  abstract slots(known: readonly number[]): Promise<readonly SlotRow[]>;

  /**
   * Writes my row as `up` and takes my advisory lock, which lives as long as my lease connection. Rejects if the id
   * exists. `broken` is called whenever that connection has ended by itself: until a renewal succeeds on a new one
   * others may find the lock free, and take me to be dead.
   */
  abstract join(node: NodeInfo, broken?: () => void): Promise<void>;

  /** Raises my `renewals` on the lease connection and returns everyone's rows. Never rejects. */
  abstract renew(nodeId: string): Promise<Renewal>;

  /** Whether the advisory lock of that node is free: its lease connection is gone. */
  abstract isLockFree(nodeId: string): Promise<boolean>;

  /**
   * One transaction: both node rows locked in id order, I must be `up`, the victim is declared `dead` by compare-and-set
   * on the renewals last seen, and each of `slots` (all, if left out) that it, or nobody living, owns becomes mine at
   * epoch + 1. Without a victim only the slots of nobody living are taken. Answers the slots taken; `undefined` when
   * the compare-and-set failed (the victim lives) and nothing was changed.
   */
  abstract takeOver(
    me: string,
    victim: { readonly id: string; readonly renewals: number } | undefined,
    slots?: readonly Slot[],
  ): Promise<readonly Tenure[] | undefined>;

  /**
   * The transfer of a handoff: each slot that is mine at exactly that epoch becomes `to`'s at epoch + 1, in one
   * transaction in which `to` is `up`. Answers those that moved, at their new epochs; none where `to` is not up.
   */
  abstract handOff(me: string, tenures: readonly Tenure[], to: string): Promise<readonly Tenure[]>;

  /** My row says `draining`: I take nothing any more, and what I have is to move. */
  abstract drain(me: string): Promise<void>;

  /** Raises the epoch of each slot that is still mine at exactly the given epoch; tells who has the others. */
  abstract raise(me: string, tenures: readonly Tenure[]): Promise<Raised>;

  /** Planned end: my row says `left`, my slots belong to nobody, my lock is released. */
  abstract leave(me: string): Promise<void>;
}
