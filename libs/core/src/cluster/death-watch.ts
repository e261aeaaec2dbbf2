/**
 * Who is dead. A node whose counter stood still for a whole lease can not be serving any more; that takes as long as the
 * lease. Where its process is known to have ended, nobody needs to wait: its advisory lock is free, which the end of the
 * process makes it, and its own address refuses connections. Either is only an opinion: who acts on it declares the node
 * dead by compare-and-set on its counter, and the fence keeps a wrong opinion from doing harm to what is written.
 *
 * A few of the others hold a connection to each node; when one breaks it is time to look for a proof.
 */
import { pause, type Cancel, type Clock } from '../runtime/clock.js';
import { isSameAddress, type LeaseTable, type NodeInfo, type NodeRow } from './lease-table.js';
import type { Membership } from './membership.js';
import type { Peers } from './peers.js';

/** How often a lock is asked for that a dead process may hold for a moment still. */
const LOCK_TRIES = 25;
const LOCK_TRY_MS = 10;
/** So many of the others hold a connection to each node, however many there are. */
const WATCHERS = 3;

export class DeathWatch {
  readonly #me: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #membership: Membership;
  readonly #peers: Peers;
  readonly #clock: Clock;
  readonly #mayProve: boolean;
  readonly #suspected: () => void;
  readonly #watched = new Map<string, Cancel>();
  readonly #suspects = new Set<string>();

  constructor(parts: {
    readonly me: NodeInfo;
    readonly leases: LeaseTable;
    readonly membership: Membership;
    readonly peers: Peers;
    readonly clock: Clock;
    readonly proofOfDeath: boolean;
    /** There is somebody to look at. */
    readonly suspected: () => void;
  }) {
    this.#me = parts.me;
    this.#leases = parts.leases;
    this.#membership = parts.membership;
    this.#peers = parts.peers;
    this.#clock = parts.clock;
    this.#mayProve = parts.proofOfDeath;
    this.#suspected = parts.suspected;
  }

  /** Whoever stood at our address is gone: we listen there now. */
  async start(): Promise<void> {
    for (const row of await this.#leases.nodes())
      if (row.id !== this.#me.id && isSameAddress(row, this.#me)) this.#suspects.add(row.id);
  }

  stop(): void {
    for (const cancel of this.#watched.values()) cancel();
    this.#watched.clear();
  }

  /** Connections to those who are there now. */
  watchPeers(): void {
    const watched = new Map(successors(this.#membership.living, this.#me.id).map((row) => [row.id, row]));
    for (const [id, cancel] of this.#watched) {
      if (watched.has(id)) continue;
      cancel();
      this.#watched.delete(id);
    }
    for (const [id, row] of watched) {
      if (this.#watched.has(id)) continue;
      const broken = (): void => {
        this.#suspects.add(id);
        this.#suspected();
      };
      this.#watched.set(id, this.#peers.watch(row, broken));
    }
  }

  /** Those that are seen, or proven, to be dead. Rejects where the lease table can not be reached; suspicions stay. */
  async dead(): Promise<readonly NodeRow[]> {
    const dead = [...this.#membership.expired(this.#clock.monotonicMs())];
    for (const id of [...this.#suspects]) {
      const proven = await this.#proven(id);
      this.#suspects.delete(id);
      if (proven !== undefined && !dead.some((row) => row.id === proven.id)) dead.push(proven);
    }
    return dead;
  }

  async #proven(id: string): Promise<NodeRow | undefined> {
    if (!this.#mayProve) return undefined;
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      const row = (await this.#leases.nodes()).find((node) => node.id === id);
      if (row === undefined) return undefined;
      if (!isSameAddress(row, this.#me)) {
        const mayProve = this.#membership.mayProve(this.#clock.monotonicMs());
        if (!mayProve || !(await this.#peers.refuses(row))) return undefined;
      }
      if (await this.#leases.isLockFree(id)) return row;
      await pause(this.#clock, LOCK_TRY_MS);
    }
    return undefined;
  }
}

/** The next nodes in the order of their ids, round about. */
function successors(nodes: readonly NodeRow[], me: string): readonly NodeRow[] {
  const others = nodes.filter(({ id }) => id !== me).sort((one, other) => (one.id < other.id ? -1 : 1));
  const first = Math.max(
    others.findIndex(({ id }) => id > me),
    0,
  );
  return [...others.slice(first), ...others.slice(0, first)].slice(0, WATCHERS);
}
