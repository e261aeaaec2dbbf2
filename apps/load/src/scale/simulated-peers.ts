/** Connections between simulated nodes: they break when the process at the other end does, and a dead one refuses. */
import { Peers, type Cancel, type Clock, type NodeInfo } from '@homeport/core';
import type { SeededRandom } from '@homeport/testkit';

export class Connections {
  readonly #ended = new Set<string>();
  readonly #watchers = new Map<string, Set<() => void>>();
  /** Connections that were made, and addresses that were tried. */
  dials = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
  ) {}

  isEnded(node: string): boolean {
    return this.#ended.has(node);
  }

  watch(node: string, broken: () => void): Cancel {
    this.dials++;
    const watchers = this.#watchers.get(node) ?? new Set();
    this.#watchers.set(node, watchers.add(broken));
    return () => watchers.delete(broken);
  }

  /** Its process is over: who holds a connection to it sees that soon. */
  end(node: string): void {
    this.#ended.add(node);
    for (const broken of this.#watchers.get(node) ?? []) this.clock.after(this.random.between(0.1, 5), broken);
  }
}

export class SimulatedPeers extends Peers {
  /** An address that refuses proves something only where it was open to us before. */
  readonly #met = new Set<string>();

  constructor(
    private readonly connections: Connections,
    private readonly receive: (event: () => void) => void,
  ) {
    super();
  }

  override watch({ id }: NodeInfo, broken: () => void): Cancel {
    if (!this.connections.isEnded(id)) this.#met.add(id);
    return this.connections.watch(id, () => this.receive(broken));
  }

  override async refuses({ id }: NodeInfo): Promise<boolean> {
    this.connections.dials++;
    return this.#met.has(id) && this.connections.isEnded(id);
  }
}
