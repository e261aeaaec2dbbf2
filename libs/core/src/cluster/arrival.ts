import { pause, type Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import type { LeaseTable, NodeInfo, NodeRow } from './lease-table.js';
import { LifeSigns } from './life-signs.js';

const LOOK_AGAIN_MS = 50;

/**
 * A node comes to the others: beside a living one of the same name, or with another lease, it may not serve. Of one that
 * may be dead it waits for the proof, or for the end of the lease, and says so.
 */
export class Arrival {
  readonly #me: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #signs: LifeSigns;
  readonly #clock: Clock;
  readonly #probe: Probe;

  constructor(parts: {
    readonly me: NodeInfo;
    readonly leases: LeaseTable;
    readonly clock: Clock;
    readonly probe: Probe;
    readonly marginMs: number;
  }) {
    this.#me = parts.me;
    this.#leases = parts.leases;
    this.#signs = new LifeSigns(parts.me, parts.leases, parts.clock, parts.marginMs);
    this.#clock = parts.clock;
    this.#probe = parts.probe;
  }

  /** After `join`: of two that come at once, each sees the other, and neither stays. Rejects, with what to do. */
  async settle(): Promise<void> {
    for (let looks = 0; ; looks++) {
      let undecided: NodeRow | undefined;
      for (const other of await this.#leases.nodes()) {
        if (!this.#isInTheWay(other)) continue;
        const sign = await this.#signs.of(other);
        if (sign === 'living') throw new Error(this.#refusal(other));
        if (sign === 'unknown') undecided = other;
      }
      if (undecided === undefined) return;
      if (looks === 1) this.#probe.tell('info', 'waits until the lease of another node is over', of(undecided));
      await pause(this.#clock, LOOK_AGAIN_MS);
    }
  }

  #isInTheWay({ id, name, leaseTtlMs }: NodeRow): boolean {
    return id !== this.#me.id && (name === this.#me.name || leaseTtlMs !== this.#me.leaseTtlMs);
  }

  #refusal({ name, url, leaseTtlMs }: NodeRow): string {
    if (name === this.#me.name) return `NODE_NAME ${name} is taken by a living node at ${url}: give this one another`;
    return (
      `LEASE_TTL_MS is ${this.#me.leaseTtlMs} here and ${leaseTtlMs} at ${name} (${url}), which lives: ` +
      `nodes judge each other by it, set the same for all of them`
    );
  }
}

function of({ name, url }: NodeRow): { readonly name: string; readonly url: string } {
  return { name, url };
}
