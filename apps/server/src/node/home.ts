/**
 * The composition root: a node with everything that it stands on, started from the ground up and stopped from the top
 * down. Postgres and its tables first, then Redis, where there is one, then the node, which takes its slots; a step that
 * fails undoes those before it.
 */
import { HomeNode, pause, type Claim } from '@homeport/core';
import { PostgresDocumentLog, PostgresLeaseTable, PostgresRevocationTable, StartRefused } from '@homeport/postgres';
import { clusterKey, connectRedis, type RedisLinks } from '@homeport/redis';
import type { Logger } from 'pino';
import { Authenticator } from '../auth/authenticator.js';
import type { Config } from '../config.js';
import { Door } from '../door/door.js';
import { relayAdapter } from '../gateway/relay-adapter.js';
import { RoomFanOut } from '../gateway/room-fan-out.js';
import { createSocketServer, type HomeSocketServer } from '../gateway/socket-server.js';
import { addRedisMetrics } from '../observe/redis-metrics.js';
import { PrometheusProbe } from '../observe/prometheus-probe.js';
import type { Address } from './address.js';
import { machineId } from './machine-id.js';
import { Retention } from './retention.js';
import { Storage } from './storage.js';
import { SystemClock } from './system-clock.js';
import { SystemRandom } from './system-random.js';
import { ownAddress, TcpPeers } from './tcp-peers.js';

/** A timeline begins with the uuid of the database; what follows changes with a failover. */
const UUID_CHARS = 36;
/** What a supervisor grants between SIGTERM and SIGKILL is mostly 30 s. */
const DRAIN_MS = 25_000;
/** A renewal may fail three times before the lease ends. */
const RENEWALS_PER_TTL = 4;

export class Home {
  readonly authenticator: Authenticator;
  readonly door: Door;
  readonly io: HomeSocketServer;
  readonly node: HomeNode;
  readonly probe: PrometheusProbe;
  readonly #clock = new SystemClock();
  readonly #retention: Retention;

  private constructor(
    readonly config: Config,
    readonly address: Address,
    readonly log: Logger,
    private readonly storage: Storage,
    documents: PostgresDocumentLog,
    private readonly redis: ClusterRedis | undefined,
  ) {
    const { nodeName: name } = config;
    const { url, host, port } = address;
    const random = new SystemRandom();
    this.authenticator = new Authenticator(config.auth);
    this.door = new Door(config.doorRates, this.#clock, random);
    this.io = createSocketServer(address.origins);
    if (redis) this.io.adapter(relayAdapter(redis.links.frames, redis.namespace, redis.key));
    this.probe = new PrometheusProbe(log);
    const machine = machineId();
    const bus = redis?.links.bus(redis.namespace, redis.key);
    if (redis && bus) addRedisMetrics(this.probe.registry, redis.links, bus);
    this.node = new HomeNode({
      node: { id: `${name}.${random.id()}`, name, url, host: ownAddress(host), port, machineId: machine },
      log: documents,
      leases: new PostgresLeaseTable(storage.database, config.leaseTtlMs / 3),
      revocations: new PostgresRevocationTable(storage.database),
      fanOut: new RoomFanOut(this.io),
      clock: this.#clock,
      random,
      probe: this.probe,
      ...(bus && { others: { bus, peers: new TcpPeers(machine) } }),
      settings: {
        ttlMs: config.leaseTtlMs,
        renewalMs: config.leaseTtlMs / RENEWALS_PER_TTL,
        memoryBudgetBytes: config.memoryBudgetBytes,
        pushesPerSecond: config.pushesPerSecondPerSocket,
        proofOfDeath: config.proofOfDeath,
      },
    });
    this.probe.watch(this.node);
    this.#retention = new Retention(documents, log);
  }

  /** Rejects with `StartRefused`, and nothing left running, where the operator can mend it. */
  static async start(config: Config, address: Address, log: Logger): Promise<Home> {
    const storage = await Storage.open(config, log);
    let redis: ClusterRedis | undefined;
    try {
      const documents = new PostgresDocumentLog(storage.database, { retentionMs: config.logRetentionMs ?? null });
      redis = await clusterRedis(config, documents, log);
      const home = new Home(config, address, log, storage, documents, redis);
      await home.node.start(claimOf(config));
      home.#retention.start();
      return home;
    } catch (error) {
      redis?.links.close();
      await storage.close();
      throw new StartRefused(error instanceof Error ? error.message : String(error));
    }
  }

  /** Answers whether all that was taken is saved: what was not was never acknowledged, and its clients keep it. */
  async drain(): Promise<boolean> {
    const drained = this.node.drain().catch((error: unknown) => this.log.error(error, 'the node could not leave'));
    await Promise.race([drained, pause(this.#clock, DRAIN_MS)]);
    const { pendingPushes, atGates } = this.node.stats();
    const isSaved = pendingPushes + atGates === 0;
    if (!isSaved)
      this.log.error({ pendingPushes, atGates }, 'not everything could be saved; clients keep what was not');
    return isSaved;
  }

  async stop(): Promise<void> {
    await this.#retention.stop();
    this.redis?.links.close();
    await this.storage.close();
  }
}

interface ClusterRedis {
  readonly links: RedisLinks;
  /** Whoever shares it, and the key, is of this cluster: other databases have another. */
  readonly namespace: string;
  readonly key: Buffer;
}

async function clusterRedis(
  { redisUrl, clusterSecret }: Config,
  documents: PostgresDocumentLog,
  log: Logger,
): Promise<ClusterRedis | undefined> {
  if (redisUrl === undefined) return undefined;
  const namespace = (await documents.timeline()).slice(0, UUID_CHARS);
  const key = clusterKey(clusterSecret, namespace);
  return { links: await connectRedis(redisUrl, (line) => log.warn(line)), namespace, key };
}

/** The embedded Postgres serves who holds the lock on its folder: no other node can live there. */
function claimOf({ databaseUrl, forceTakeover }: Config): Claim {
  if (databaseUrl === undefined) return 'alone';
  return forceTakeover ? 'forced' : 'careful';
}
