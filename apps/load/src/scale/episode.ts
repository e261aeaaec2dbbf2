/** Something that happens to a cluster, what it set off, and how long that took. */
import type { ScaledCluster } from './scaled-cluster.js';
import type { Report } from './traffic.js';

export interface Episode {
  readonly name: string;
  /** How many nodes run when it is over. */
  readonly nodes: number;
  /** Every slot has a living owner again; undefined: none was without. In ms of simulated time, as the others. */
  readonly ownedMs: number | undefined;
  /** Everybody knows who is there and who owns what. */
  readonly agreedMs: number | undefined;
  /** That, and nothing has to move any more. */
  readonly restMs: number | undefined;
  /** Slots whose owner is another than before. */
  readonly moved: number;
  /** Changes of owner on the way there: more than `moved` where slots moved twice. */
  readonly transfers: number;
  /** The larger of the fair shares before and after. */
  readonly fairShare: number;
  /** Connections made between nodes, and addresses tried. */
  readonly dials: number;
  readonly redis: Report;
  readonly postgres: Report;
}

const STEP_MS = 5;
const LIMIT_MS = 180_000;

/** Until every slot has an owner, all agree and shares are fair; or, with `lastsMs`, for so long. */
export async function playEpisode(
  cluster: ScaledCluster,
  name: string,
  act: () => void,
  tell: (line: string) => void,
  lastsMs?: number,
): Promise<Episode> {
  const { clock, connections, redis, postgres } = cluster;
  const before = { owners: cluster.owners, transfers: cluster.transfers, dials: connections.dials };
  const fairBefore = cluster.running.length === 0 ? 0 : cluster.fairShare;
  const startMs = clock.monotonicMs();
  const passedMs = (): number => clock.monotonicMs() - startMs;
  let [ownedMs, agreedMs, restMs]: (number | undefined)[] = [];
  let wasOwned = true;
  redis.take();
  postgres.take();
  act();
  for (;;) {
    const isOwned = cluster.isOwned;
    if (isOwned && !wasOwned) ownedMs ??= passedMs();
    wasOwned = isOwned;
    // To ask all of them costs much: once until they agree, and then when nothing has to move any more.
    if (lastsMs === undefined && isOwned && agreedMs === undefined && cluster.isAgreed) agreedMs = passedMs();
    if (lastsMs === undefined && isOwned && cluster.isBalanced && cluster.isAgreed) restMs = passedMs();
    if (restMs !== undefined || passedMs() >= (lastsMs ?? Infinity)) break;
    if (passedMs() >= LIMIT_MS) throw new Error(`${name}: the cluster did not come to rest within ${LIMIT_MS} ms`);
    if (passedMs() % 1_000 < STEP_MS) tell(`${name}: ${Math.floor(passedMs() / 1_000)} s`);
    await clock.advance(STEP_MS);
  }
  return {
    name,
    nodes: cluster.running.length,
    ownedMs,
    agreedMs,
    restMs,
    moved: cluster.owners.filter((owner, slot) => owner !== before.owners[slot]).length,
    transfers: cluster.transfers - before.transfers,
    fairShare: Math.max(fairBefore, cluster.fairShare),
    dials: connections.dials - before.dials,
    redis: redis.take(),
    postgres: postgres.take(),
  };
}
