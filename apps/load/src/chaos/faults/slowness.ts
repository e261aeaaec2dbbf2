/** Postgres and Redis that are there, and slow, or do nothing for a while. */
import { until } from '@homeport/testkit';
import { nowMs } from '../../history/operation.js';
import { pause, type Fault, type Stage } from '../stage.js';
import { declaredDead } from './links.js';

/** On the way there, and as much on the way back: a renewal still comes within its deadline. */
const SLOW_LOW_MS = 20;
const SLOW_HIGH_MS = 80;
const HANG_LOW_MS = 2_000;
const HANG_HIGH_MS = 8_000;
/** They come long before a message is given up that Redis does not take, which is after 2 s. */
const ACKS = 20;
const IN_FLIGHT_MS = 300;
/** After so long nothing is on its way any more, and the leases run on still. */
const ARRIVED_MS = 1_000;

export const slowPostgres: Fault = {
  name: 'slow-postgres',
  says: 'every answer of Postgres takes up to 160 ms longer, as with a slow disk; nobody is suspected',
  nodesMin: 1,
  async strike(stage) {
    const { cluster, load, watch, random, patienceMs } = stage;
    const before = (await watch.look()).nodes;
    const delayMs = random.between(SLOW_LOW_MS, SLOW_HIGH_MS);
    const lengthMs = random.between(5_000, 8_000);
    const { acks } = load;
    for (const { links } of cluster.nodes) links.postgres.delayMs = delayMs;
    try {
      await pause(lengthMs);
      await load.until(patienceMs, () => (load.acks > acks ? undefined : 'an acknowledgement of a slow Postgres'));
    } finally {
      for (const { links } of cluster.nodes) links.postgres.delayMs = 0;
    }
    const broke = declaredDead(before, (await watch.look()).nodes);
    return { did: `Postgres was ${Math.round(2 * delayMs)} ms slower for ${Math.round(lengthMs)} ms`, broke };
  },
};

export const postgresHang: Fault = {
  name: 'postgres-hang',
  says: 'SIGSTOP of every process of Postgres, for less or for more than a lease, then SIGCONT',
  nodesMin: 1,
  async strike(stage) {
    const { cluster, load, watch, random, patienceMs } = stage;
    const before = (await watch.look()).nodes;
    // First the one that makes the others, so that none is missed.
    const pids = [cluster.postgres.pid];
    signal(pids, 'SIGSTOP');
    const lengthMs = random.between(HANG_LOW_MS, HANG_HIGH_MS);
    let acksMeanwhile: number;
    try {
      const backends = await watch.backends();
      pids.push(...backends);
      signal(backends, 'SIGSTOP');
      // What was answered already, and is still on its way to a client, has arrived by then.
      await pause(ARRIVED_MS);
      const { acks } = load;
      await pause(lengthMs - ARRIVED_MS);
      acksMeanwhile = load.acks - acks;
    } finally {
      signal(pids, 'SIGCONT');
    }
    await load.flowing(patienceMs);
    const broke = declaredDead(before, (await watch.look()).nodes);
    if (acksMeanwhile > 0) broke.push(`E6: ${acksMeanwhile} pushes were acknowledged while Postgres did nothing`);
    return { did: `${pids.length} processes of Postgres stood still for ${Math.round(lengthMs)} ms`, broke };
  },
};

export const redisHang: Fault = {
  name: 'redis-hang',
  says: 'SIGSTOP of Redis for some seconds, then SIGCONT',
  nodesMin: 2,
  async strike(stage) {
    const { cluster, patienceMs } = stage;
    const redis = cluster.redis!;
    const startedMs = nowMs();
    const broke: string[] = [];
    redis.stop();
    try {
      await pause(IN_FLIGHT_MS);
      const before = pinnedCopies(stage).map(({ copy }) => ({ copy, seq: copy.seq }));
      await acknowledged(stage);
      // A frame may leave a moment after the acks of its entries, and not after those of later ones.
      await pause(IN_FLIGHT_MS);
      await acknowledged(stage);
      if (before.every(({ copy, seq }) => copy.seq === seq))
        broke.push('E5: sessions at the owner were shown nothing while Redis did nothing');
      await until(patienceMs, 'a node to notice that Redis does nothing', async () => (await redisOf(stage)) !== 'up');
      await pause(stage.random.between(0, 4_000));
    } finally {
      redis.cont();
    }
    const did = `Redis did nothing for ${Math.round(nowMs() - startedMs)} ms`;
    await until(patienceMs, 'Redis to be seen again', async () => (await redisOf(stage)) === 'up');
    return { did, broke };
  },
};

async function acknowledged({ load, patienceMs }: Stage): Promise<void> {
  const wanted = load.acks + ACKS;
  await load.until(patienceMs, () =>
    load.acks >= wanted ? undefined : 'E5: acknowledgements while Redis does nothing',
  );
}

function pinnedCopies({ load }: Stage) {
  return load.clients.filter(({ pin }) => pin === 'redirect').flatMap(({ documents }) => documents);
}

/** As one of the nodes sees it. */
async function redisOf({ cluster }: Stage): Promise<string> {
  const node = cluster.nodes.find(({ isUp }) => isUp);
  const view = (await (await fetch(`${node?.url}/v1/cluster`)).json()) as {
    readonly redis: { readonly state: string };
  };
  return view.redis.state;
}

/** Some may have ended meanwhile, as workers do. */
function signal(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids)
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
}
