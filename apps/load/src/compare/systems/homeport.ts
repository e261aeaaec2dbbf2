/** The shipped server: alone, and as a cluster in which a client may be at the owner of its document or at another node. */
import { ServerProcess, until } from '@homeport/testkit';
import { ClusterWatch, type Ownership } from '../../chaos/cluster-watch.js';
import { slotOf } from '@homeport/core';
import { range } from '../../measuring/range.js';
import type { Servers, System } from './system.js';

const CLUSTER_NODES = 2;
const SETTLED_WITHIN_MS = 90_000;

export async function startHomeport(databaseUrl: string): Promise<Servers> {
  const server = await ServerProcess.start({ env: { LOG_LEVEL: 'warn', DATABASE_URL: databaseUrl } });
  const place = { url: server.url, how: {} };
  const says = 'Homeport, one node, default settings';
  const system = { name: 'homeport', says, pids: [server.pid], frames: 'to-all', logUrl: databaseUrl } as const;
  return { systems: [{ ...system, place: () => Promise.resolve(place) }], stop: () => server.dispose() };
}

export async function startCluster(databaseUrl: string, redisUrl: string): Promise<Servers> {
  const nodes: ServerProcess[] = [];
  const watch = new ClusterWatch(databaseUrl);
  const stop = async (): Promise<void> => {
    await watch.close();
    await Promise.all(nodes.map((node) => node.dispose()));
  };
  try {
    for (const i of range(CLUSTER_NODES)) {
      const env = { LOG_LEVEL: 'warn', DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, NODE_NAME: `node-${i}` };
      nodes.push(await ServerProcess.start({ env }));
    }
    const ownership = await settled(watch);
    const ownerOf = (document: string): number => {
      const id = ownership.owners[slotOf(document)]!;
      return Number(ownership.nodes.get(id)!.slice('node-'.length));
    };
    const shared = { pids: nodes.map(({ pid }) => pid), frames: 'to-all', logUrl: databaseUrl } as const;
    const pinned: System = {
      ...shared,
      name: 'pinned',
      says: `Homeport, ${CLUSTER_NODES} nodes and Redis, each client at the owner of its document`,
      place: (document) => Promise.resolve({ url: nodes[ownerOf(document)]!.url, how: {} }),
    };
    const relayed: System = {
      ...shared,
      name: 'relayed',
      says: 'the same cluster, each client at a node that is not the owner of its document',
      place: (document) => {
        const other = nodes[(ownerOf(document) + 1) % CLUSTER_NODES]!;
        return Promise.resolve({ url: other.url, how: { pin: 'relay' } });
      },
    };
    return { systems: [pinned, relayed], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Who owns what, when every node has its share: nothing moves from then on. */
async function settled(watch: ClusterWatch): Promise<Ownership> {
  let seen: Ownership | undefined;
  await until(SETTLED_WITHIN_MS, 'each node to own its share', async () => {
    seen = await watch.look();
    const { owners, nodes, isWhole } = seen;
    const share = Math.floor(owners.length / CLUSTER_NODES);
    const isShared = [...nodes.keys()].every((id) => owners.filter((owner) => owner === id).length >= share);
    return isWhole && nodes.size === CLUSTER_NODES && isShared;
  });
  return seen!;
}
