/** What a fault has at hand, and what it tells when everything is whole again. */
import type { ClusterNode, ClusterProcesses, SeededRandom } from '@homeport/testkit';
import type { ClusterWatch } from './cluster-watch.js';
import type { OpenLoad } from './open-load.js';

export interface Stage {
  readonly cluster: ClusterProcesses;
  readonly load: OpenLoad;
  readonly watch: ClusterWatch;
  readonly random: SeededRandom;
  /** What a node that ends by itself, and is to come back, gets for it: far beyond any target. */
  readonly patienceMs: number;
}

/** What is enough to break a process of the cluster: also a load run has it. */
export type ProcessStage = Omit<Stage, 'load'> & {
  readonly load: { readonly documents: readonly string[]; readonly acks: number };
};

export interface Struck {
  /** For people: what was done, to whom. */
  readonly did: string;
  /** Why the fault can not have had its effect; undefined: it had. */
  readonly missed?: string | undefined;
  /** An invariant that only this fault can see broken. */
  readonly broke?: readonly string[];
  /** From the blow until every slot had a living owner that was not hit. */
  readonly ownedAfterMs?: number | undefined;
  /** How long the node took to end when it was asked to. */
  readonly drainedMs?: number;
  /** The node that was hit, if it was one. */
  readonly id?: string;
}

export interface Fault {
  readonly name: string;
  readonly says: string;
  readonly nodesMin: number;
  /** Breaks something, waits for what must follow, and heals it. Rejects when that does not come. */
  strike(stage: Stage): Promise<Struck>;
}

export interface ProcessFault extends Fault {
  strike(stage: ProcessStage): Promise<Struck>;
}

/** The node that has a document of the load, so that it hurts. */
export async function pickOwner({
  cluster,
  load,
  watch,
  random,
}: ProcessStage): Promise<{ node: ClusterNode; id: string }> {
  const { id, name } = await watch.ownerOf(random.pick(load.documents));
  const node = cluster.nodes.find((one) => one.name === name);
  if (!node) throw new Error(`${name} owns a slot, and is none of ours`);
  return { node, id };
}

export function pause(ms: number): Promise<void> {
  return new Promise((over) => setTimeout(over, ms));
}
