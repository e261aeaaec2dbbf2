/** What happens to Postgres and Redis, and to the ways there. */
import type { TcpProxy, TestRedis } from '@homeport/testkit';
import { nowMs } from '../../history/operation.js';
import { pause, pickOwner, type Fault, type Stage, type Struck } from '../stage.js';
import { ownedWithout, serves } from './processes.js';

/** Longer than a lease, and longer than the time after which a silent node is taken for dead. */
const CUT_LOW_MS = 5_000;
const CUT_HIGH_MS = 9_000;
const EXIT_LOST = 75;
const IN_FLIGHT_MS = 500;

export const cutPostgres: Fault = {
  name: 'cut-postgres',
  says: 'an owner can not reach Postgres for longer than its lease: cut, half-open or frozen',
  nodesMin: 1,
  async strike(stage) {
    const { node, id } = await pickOwner(stage);
    const lengthMs = stage.random.between(CUT_LOW_MS, CUT_HIGH_MS);
    const struckMs = nowMs();
    const { how, links, heal } = breakLink(stage, node.links.postgres);
    const alone = stage.cluster.nodes.length === 1;
    const ownedAfterMs = alone ? undefined : await ownedWithout(stage, [id], struckMs);
    await pause(Math.max(0, lengthMs - (nowMs() - struckMs)));
    heal();
    const did = `${node.name} had no Postgres for ${Math.round(nowMs() - struckMs)} ms (${how})`;
    const missed = links > 0 ? undefined : 'there was no connection to break';
    if (alone) return { did, missed };
    const { code } = await node.endsByItself(stage.patienceMs, 'to learn that it is dead');
    await serves(stage, node);
    const broke = code === EXIT_LOST ? [] : [`O4: ${node.name} was declared dead and ended with ${code}`];
    return { did, missed, ownedAfterMs, broke };
  },
};

export const cutRedis: Fault = {
  name: 'cut-redis',
  says: 'an owner can not reach Redis for some seconds: cut, half-open or frozen',
  nodesMin: 2,
  async strike(stage) {
    const { node } = await pickOwner(stage);
    const { how, links, heal } = breakLink(stage, node.links.redis!);
    const lengthMs = stage.random.between(2_000, 6_000);
    await pause(lengthMs);
    heal();
    const missed = links > 0 ? undefined : 'there was no connection to break';
    return { did: `${node.name} had no Redis for ${Math.round(lengthMs)} ms (${how})`, missed };
  },
};

export const redisRestart: Fault = {
  name: 'redis-restart',
  says: 'Redis is killed, and started again empty',
  nodesMin: 2,
  async strike({ cluster, load, random }) {
    const redis = cluster.redis!;
    const before = await runOf(redis);
    await redis.kill();
    const { acks } = load;
    const lengthMs = random.between(500, 4_000);
    await pause(lengthMs);
    const broke = load.acks > acks ? [] : ['E5: nothing was acknowledged while Redis was away'];
    await redis.restart();
    const missed = (await runOf(redis)) === before ? 'Redis is the same process' : undefined;
    return { did: `Redis was away for ${Math.round(lengthMs)} ms`, missed, broke };
  },
};

export const postgresShort: Fault = {
  name: 'postgres-short',
  says: 'Postgres is killed, and away for less than a lease',
  nodesMin: 1,
  strike: (stage) => killPostgres(stage, stage.random.between(1_000, 2_000)),
};

export const postgresLong: Fault = {
  name: 'postgres-long',
  says: 'Postgres is killed, and away for much longer than a lease',
  nodesMin: 1,
  strike: (stage) => killPostgres(stage, 8_000),
};

/** It comes back by itself at once; nobody but this run reaches it before the time is over. */
async function killPostgres({ cluster, load, watch, patienceMs }: Stage, lengthMs: number): Promise<Struck> {
  const before = (await watch.look()).nodes;
  const { pid } = cluster.postgres;
  const startedMs = nowMs();
  const links = cluster.nodes.reduce((sum, node) => sum + node.links.postgres.connections, 0);
  for (const node of cluster.nodes) node.links.postgres.cut();
  const back = cluster.postgres.kill(patienceMs);
  // What was answered already, and is still on its way to a client, has arrived by then.
  await pause(IN_FLIGHT_MS);
  const { acks } = load;
  await pause(lengthMs - IN_FLIGHT_MS);
  await back;
  const broke = load.acks === acks ? [] : [`E6: ${load.acks - acks} pushes were acknowledged without Postgres`];
  const awayMs = Math.round(nowMs() - startedMs);
  for (const node of cluster.nodes) node.links.postgres.mend();
  await load.flowing(patienceMs);
  // Slots may still move for the sake of balance: what must not be is that anybody was taken for dead.
  broke.push(...declaredDead(before, (await watch.look()).nodes));
  const missed = cluster.postgres.pid === pid || links === 0 ? 'Postgres did not go away' : undefined;
  return { did: `Postgres was away for ${awayMs} ms`, missed, broke };
}

/** Of nodes that lived all the while. */
export function declaredDead(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...before].flatMap(([id, name]) => (after.has(id) ? [] : [`E6: ${name} lived, and was declared dead`]));
}

/** The name of its present process. */
async function runOf(redis: TestRedis): Promise<string | undefined> {
  return /run_id:(\w+)/.exec(await redis.say('INFO server'))?.[1];
}

interface Broken {
  readonly how: string;
  /** Connections that it hit. */
  readonly links: number;
  readonly heal: () => void;
}

/** `half-open`: what there is loses everything that is said, what comes waits; none of it works again. */
function breakLink({ random }: Stage, link: TcpProxy): Broken {
  const links = link.connections;
  const how = random.pick(['cut', 'half-open', 'frozen'] as const);
  switch (how) {
    case 'cut':
      link.cut();
      break;
    case 'half-open':
      link.silence();
      link.pause();
      break;
    case 'frozen':
      link.pause();
      break;
  }
  const heal = (): void => {
    if (how === 'half-open') link.cut();
    link.mend();
    link.resume();
  };
  return { how, links, heal };
}
