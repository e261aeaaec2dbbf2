/**
 * The composition root: a node with everything that it stands on, started from the ground up and stopped from the top
 * down. Postgres first, then its tables, then the node, which takes its slots; a step that fails undoes those before it.
 */
import { join } from 'node:path';
import { HomeNode, pause, type Claim } from '@homeport/core';
import {
  EmbeddedPostgres,
  migrate,
  openDatabase,
  PostgresDocumentLog,
  PostgresLeaseTable,
  StartRefused,
  type Database,
} from '@homeport/postgres';
import type { Logger } from 'pino';
import { Authenticator } from '../auth/authenticator.js';
import type { Config } from '../config.js';
import { RoomFanOut } from '../gateway/room-fan-out.js';
import { createSocketServer, type HomeSocketServer } from '../gateway/socket-server.js';
import { PrometheusProbe } from '../observe/prometheus-probe.js';
import type { Address } from './address.js';
import { machineId } from './machine-id.js';
import { Retention } from './retention.js';
import { SystemClock } from './system-clock.js';
import { SystemRandom } from './system-random.js';

/** At the root of the repository; this file is built to `dist/apps/server/src/node`. */
const MIGRATIONS = join(import.meta.dirname, '../../../../../migrations');
/** What a supervisor grants between SIGTERM and SIGKILL is mostly 30 s. */
const DRAIN_MS = 25_000;
/** A renewal may fail three times before the lease ends. */
const RENEWALS_PER_TTL = 4;

export class Home {
  private constructor(
    readonly config: Config,
    readonly address: Address,
    readonly log: Logger,
    readonly probe: PrometheusProbe,
    readonly io: HomeSocketServer,
    readonly authenticator: Authenticator,
    readonly node: HomeNode,
    private readonly retention: Retention,
    private readonly database: Database,
    private readonly embedded: EmbeddedPostgres | undefined,
  ) {}

  /** Rejects with `StartRefused`, and nothing left running, where the operator can mend it. */
  static async start(config: Config, address: Address, log: Logger): Promise<Home> {
    const embedded =
      config.databaseUrl === undefined
        ? await EmbeddedPostgres.start(config.dataDir, (line) => log.warn(line))
        : undefined;
    let database: Database | undefined;
    try {
      const url = config.databaseUrl ?? embedded!.url;
      database = await openDatabase(url);
      await migrate(url, MIGRATIONS);
      const probe = new PrometheusProbe(log);
      const io = createSocketServer(address.origins);
      const random = new SystemRandom();
      const documents = new PostgresDocumentLog(database, { retentionMs: config.logRetentionMs ?? null });
      const node = new HomeNode({
        node: {
          id: `${config.nodeName}.${random.id()}`,
          name: config.nodeName,
          url: address.url,
          host: address.host,
          port: address.port,
          machineId: machineId(),
        },
        log: documents,
        leases: new PostgresLeaseTable(database),
        fanOut: new RoomFanOut(io),
        clock: new SystemClock(),
        random,
        probe,
        settings: {
          ttlMs: config.leaseTtlMs,
          renewalMs: config.leaseTtlMs / RENEWALS_PER_TTL,
          memoryBudgetBytes: config.memoryBudgetBytes,
          pushesPerSecond: config.pushesPerSecondPerSocket,
        },
      });
      probe.watch(node);
      await node.start(claimOf(config)).catch((error: unknown) => {
        throw new StartRefused(error instanceof Error ? error.message : String(error));
      });
      const retention = new Retention(documents, log);
      retention.start();
      const authenticator = new Authenticator(config.auth);
      return new Home(config, address, log, probe, io, authenticator, node, retention, database, embedded);
    } catch (error) {
      await database?.close();
      await embedded?.stop();
      throw error;
    }
  }

  /** Answers whether all that was taken is saved: what was not was never acknowledged, and its clients keep it. */
  async drain(): Promise<boolean> {
    const drained = this.node.drain().catch((error: unknown) => this.log.error(error, 'the node could not leave'));
    await Promise.race([drained, pause(new SystemClock(), DRAIN_MS)]);
    const { pendingPushes } = this.node.stats();
    if (pendingPushes > 0)
      this.log.error({ pendingPushes }, 'not everything could be saved; clients keep what was not');
    return pendingPushes === 0;
  }

  async stop(): Promise<void> {
    await this.retention.stop();
    await this.database.close();
    await this.embedded?.stop();
  }
}

/** The embedded Postgres serves who holds the lock on its folder: no other node can live there. */
function claimOf({ databaseUrl, forceTakeover }: Config): Claim {
  if (databaseUrl === undefined) return 'alone';
  return forceTakeover ? 'forced' : 'careful';
}
