/**
 * The composition root: a node with everything that it stands on, started from the ground up and stopped from the top
 * down. Postgres and its tables first, then the node, which takes its slots; a step that fails undoes those before it.
 */
import { HomeNode, pause, type Claim } from '@homeport/core';
import { PostgresDocumentLog, PostgresLeaseTable, StartRefused } from '@homeport/postgres';
import type { Logger } from 'pino';
import { Authenticator } from '../auth/authenticator.js';
import type { Config } from '../config.js';
import { Door } from '../door/door.js';
import { RoomFanOut } from '../gateway/room-fan-out.js';
import { createSocketServer, type HomeSocketServer } from '../gateway/socket-server.js';
import { PrometheusProbe } from '../observe/prometheus-probe.js';
import type { Address } from './address.js';
import { machineId } from './machine-id.js';
import { Retention } from './retention.js';
import { Storage } from './storage.js';
import { SystemClock } from './system-clock.js';
import { SystemRandom } from './system-random.js';

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
  ) {
    const { nodeName: name } = config;
    const { url, host, port } = address;
    const random = new SystemRandom();
    const documents = new PostgresDocumentLog(storage.database, { retentionMs: config.logRetentionMs ?? null });
    this.authenticator = new Authenticator(config.auth);
    this.door = new Door(config.doorRates, this.#clock, random);
    this.io = createSocketServer(address.origins);
    this.probe = new PrometheusProbe(log);
    this.node = new HomeNode({
      node: { id: `${name}.${random.id()}`, name, url, host, port, machineId: machineId() },
      log: documents,
      leases: new PostgresLeaseTable(storage.database),
      fanOut: new RoomFanOut(this.io),
      clock: this.#clock,
      random,
      probe: this.probe,
      settings: {
        ttlMs: config.leaseTtlMs,
        renewalMs: config.leaseTtlMs / RENEWALS_PER_TTL,
        memoryBudgetBytes: config.memoryBudgetBytes,
        pushesPerSecond: config.pushesPerSecondPerSocket,
      },
    });
    this.probe.watch(this.node);
    this.#retention = new Retention(documents, log);
  }

  /** Rejects with `StartRefused`, and nothing left running, where the operator can mend it. */
  static async start(config: Config, address: Address, log: Logger): Promise<Home> {
    const storage = await Storage.open(config, log);
    const home = new Home(config, address, log, storage);
    try {
      await home.node.start(claimOf(config));
    } catch (error) {
      await storage.close();
      throw new StartRefused(error instanceof Error ? error.message : String(error));
    }
    home.#retention.start();
    return home;
  }

  /** Answers whether all that was taken is saved: what was not was never acknowledged, and its clients keep it. */
  async drain(): Promise<boolean> {
    const drained = this.node.drain().catch((error: unknown) => this.log.error(error, 'the node could not leave'));
    await Promise.race([drained, pause(this.#clock, DRAIN_MS)]);
    const { pendingPushes } = this.node.stats();
    if (pendingPushes > 0)
      this.log.error({ pendingPushes }, 'not everything could be saved; clients keep what was not');
    return pendingPushes === 0;
  }

  async stop(): Promise<void> {
    await this.#retention.stop();
    await this.storage.close();
  }
}

/** The embedded Postgres serves who holds the lock on its folder: no other node can live there. */
function claimOf({ databaseUrl, forceTakeover }: Config): Claim {
  if (databaseUrl === undefined) return 'alone';
  return forceTakeover ? 'forced' : 'careful';
}
