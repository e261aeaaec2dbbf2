import { Peers, type NodeInfo } from '@homeport/core';
import type { ClusterSimulation } from './simulate-cluster.js';

const DIAL_AGAIN_MS = 500;
const REFUSALS_TOLD_MAX = 5;

/** A process that died refuses connections, and so may one that lives; one that hangs does not. */
export class SimPeers extends Peers {
  constructor(private readonly run: ClusterSimulation) {
    super();
  }

  override watch(node: NodeInfo, broken: () => void) {
    const { world, random } = this.run;
    let isWatching = true;
    let told = 0;
    let blips = this.#find(node)?.blips;
    const look = (): void => {
      if (!isWatching || told === REFUSALS_TOLD_MAX) return;
      const isBroken = this.#isRefused(node) || this.#find(node)?.blips !== blips;
      if (!isBroken) return void world.after(20, look);
      told++;
      blips = this.#find(node)?.blips;
      world.after(random.between(0.1, 20), () => isWatching && broken());
      world.after(DIAL_AGAIN_MS, look);
    };
    look();
    return () => {
      isWatching = false;
    };
  }

  override async refuses(node: NodeInfo): Promise<boolean> {
    return this.#isRefused(node);
  }

  #find({ id }: NodeInfo) {
    return this.run.nodes.find(({ node }) => node.me.id === id);
  }

  #isRefused(node: NodeInfo): boolean {
    const there = this.#find(node);
    return there !== undefined && (there.process.state === 'dead' || there.isRefusing);
  }
}
