import type { Clock } from '../runtime/clock.js';
import { isSameAddress, type LeaseTable, type NodeInfo, type NodeRow } from './lease-table.js';

/**
 * What a node that starts makes of those that are in the table already, by looking at their rows again and again:
 *
 *   living    its counter has risen since it was seen first
 *   over      its counter has stood still for a whole lease, its own or ours; or its lock is free and its address is ours
 *   unknown   neither yet
 */
export class LifeSigns {
  readonly #me: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #clock: Clock;
  readonly #marginMs: number;
  readonly #seen = new Map<string, { readonly renewals: number; readonly sinceMs: number }>();

  constructor(me: NodeInfo, leases: LeaseTable, clock: Clock, marginMs: number) {
    this.#me = me;
    this.#leases = leases;
    this.#clock = clock;
    this.#marginMs = marginMs;
  }

  async of(other: NodeRow): Promise<'living' | 'over' | 'unknown'> {
    const nowMs = this.#clock.monotonicMs();
    const seen = this.#seen.get(other.id) ?? { renewals: other.renewals, sinceMs: nowMs };
    this.#seen.set(other.id, seen);
    if (other.renewals !== seen.renewals) return 'living';
    if (nowMs - seen.sinceMs >= this.outliveMs(other)) return 'over';
    return isSameAddress(other, this.#me) && (await this.#leases.isLockFree(other.id)) ? 'over' : 'unknown';
  }

  /** After this long on this clock, no lease of it runs any more that was counted on another from a moment before. */
  outliveMs({ leaseTtlMs }: NodeRow): number {
    return Math.max(leaseTtlMs, this.#me.leaseTtlMs) * 1.005 + this.#marginMs;
  }
}
