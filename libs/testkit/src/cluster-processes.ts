/**
 * A cluster as processes on this machine: servers, one Postgres, and one Redis if there is more than one server, all
 * private to the run and gone after `stop`.
 *
 * A node is looked after: a process that ends by itself is started again, as a supervisor does, and how it ended is
 * kept. What is killed, stopped or drained here stays as it is until it is started here.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '@homeport/postgres';
import { ServerProcess, until, type Exit } from './server-process.js';
import { TcpProxy } from './tcp-proxy.js';
import { TestRedis } from './test-redis.js';

export interface ClusterProcessesOptions {
  readonly nodes: number;
  /** Settings of every server. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long a node may take until it serves, with all its attempts. */
  readonly servesWithinMs?: number;
  readonly tell?: (line: string) => void;
  /**
   * Each node reaches Postgres and Redis through links of its own that can be broken [straight]. All that goes over them
   * passes through this process: what is measured then is not what users get.
   */
  readonly breakable?: boolean;
}

export interface Links {
  readonly postgres: TcpProxy;
  readonly redis: TcpProxy | undefined;
}

const SERVES_WITHIN_MS = 120_000;
const AGAIN_AFTER_MS = 500;

export class ClusterProcesses {
  readonly nodes: ClusterNode[] = [];
  readonly #removed: ClusterNode[] = [];
  #named = 0;

  private constructor(
    private readonly options: ClusterProcessesOptions,
    private readonly folder: string,
    readonly postgres: PostgresProcess,
    readonly redis: TestRedis | undefined,
  ) {}

  static async start(options: ClusterProcessesOptions): Promise<ClusterProcesses> {
    const folder = await mkdtemp(join(tmpdir(), 'homeport-cluster-'));
    const redis = options.nodes > 1 ? await TestRedis.start() : undefined;
    const postgres = await PostgresProcess.start(folder, options.tell ?? (() => {}));
    const cluster = new ClusterProcesses(options, folder, postgres, redis);
    try {
      // The first one makes the tables.
      for (let i = 0; i < options.nodes; i++) await cluster.add();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Processes that ended without having been told to, and that nobody waited for. */
  get strays(): readonly string[] {
    return [...this.nodes, ...this.#removed].flatMap(({ name, exits }) =>
      exits.map(({ code, signal }) => `${name} ended by itself (${signal ?? `code ${code}`})`),
    );
  }

  /** One node more. Resolves when it serves. */
  async add(): Promise<ClusterNode> {
    const name = `node-${++this.#named}`;
    const links = this.options.breakable ? await this.#link() : undefined;
    const redis = links?.redis ?? this.redis;
    const env = {
      ...this.options.env,
      NODE_NAME: name,
      DATABASE_URL: links ? `postgres://homeport@127.0.0.1:${links.postgres.port}/postgres` : this.postgres.url,
      ...(redis && { REDIS_URL: `redis://127.0.0.1:${redis.port}` }),
    };
    const node = new ClusterNode(name, env, links, this.options.servesWithinMs ?? SERVES_WITHIN_MS);
    this.nodes.push(node);
    await node.start();
    return node;
  }

  /** SIGTERM, until it has gone; it does not come back. */
  async remove(node: ClusterNode): Promise<Exit> {
    const exit = await node.drain();
    this.#removed.push(...this.nodes.splice(this.nodes.indexOf(node), 1));
    await node.dispose();
    return exit;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.dispose()));
    await this.redis?.dispose();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #link(): Promise<Links> {
    const postgres = await TcpProxy.to(this.postgres.socket);
    return { postgres, redis: this.redis && (await TcpProxy.to(this.redis.port)) };
  }
}

export class ClusterNode {
  /** How its processes ended without having been told to, but for those that somebody waited for. */
  readonly exits: Exit[] = [];
  #server: ServerProcess | undefined;
  #is: 'down' | 'starting' | 'up' | 'stopped' = 'down';

  constructor(
    readonly name: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly breakable: Links | undefined,
    private readonly servesWithinMs: number,
  ) {}

  get url(): string {
    return this.#running().url;
  }
  get pid(): number {
    return this.#running().pid;
  }
  get isUp(): boolean {
    return this.#is === 'up';
  }
  get links(): Links {
    if (!this.breakable) throw new Error(`${this.name} has no links that can be broken`);
    return this.breakable;
  }
  get logs(): string {
    return this.#server?.logs ?? '';
  }

  /** Starts it, on the port it had, again and again until it serves: what it needs may be away. */
  async start(): Promise<void> {
    this.#is = 'starting';
    let why: unknown;
    const tryOnce = async (): Promise<boolean> => {
      if (this.#is !== 'starting') return true;
      try {
        if (this.#server) await this.#server.restart();
        else this.#server = await ServerProcess.start({ env: this.env });
        return true;
      } catch (error) {
        why = error;
        await new Promise((again) => setTimeout(again, AGAIN_AFTER_MS));
        return false;
      }
    };
    await until(this.servesWithinMs, `${this.name} to serve`, tryOnce).catch((error: Error) => {
      throw new Error(error.message, { cause: why });
    });
    if (this.#is !== 'starting') return;
    this.#is = 'up';
    void this.#running().exited.then((exit) => this.#ended(exit));
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<Exit> {
    this.#is = 'down';
    return this.#running().kill();
  }

  /** SIGTERM; resolves when it has handed over, saved and gone. */
  async drain(): Promise<Exit> {
    this.#is = 'down';
    return this.#running().stop();
  }

  /** SIGSTOP: it hangs until `cont`. */
  stop(): void {
    this.#is = 'stopped';
    this.#running().signal('SIGSTOP');
  }

  cont(): void {
    this.#is = 'up';
    this.#running().signal('SIGCONT');
  }

  /** It ends by itself, as it should; or has just done so. Rejects when that does not come. */
  async endsByItself(limitMs: number, why: string): Promise<Exit> {
    await until(limitMs, `${this.name} ${why}`, () => this.exits.length > 0);
    return this.exits.shift()!;
  }

  async dispose(): Promise<void> {
    this.#is = 'down';
    await this.#server?.dispose();
    await Promise.all([this.breakable?.postgres.close(), this.breakable?.redis?.close()]);
  }

  #ended(exit: Exit): void {
    if (this.#is !== 'up' && this.#is !== 'stopped') return;
    this.exits.push(exit);
    // Whoever waits for this node sees that it does not come up.
    this.start().catch(() => {});
  }

  #running(): ServerProcess {
    if (!this.#server) throw new Error(`${this.name} was never started`);
    return this.#server;
  }
}

/** The Postgres of a cluster: an embedded one, which comes back by itself when it is killed. */
export class PostgresProcess {
  private constructor(
    private readonly folder: string,
    private readonly embedded: EmbeddedPostgres,
  ) {}

  static async start(folder: string, tell: (line: string) => void): Promise<PostgresProcess> {
    return new PostgresProcess(folder, await EmbeddedPostgres.start(folder, tell));
  }

  /** The way for whoever must not be cut off: the run itself. */
  get url(): string {
    return this.embedded.url;
  }
  get pid(): number {
    return this.embedded.pid;
  }
  /** The path of the Unix socket that it listens on. */
  get socket(): string {
    const { searchParams } = new URL(this.url);
    return join(searchParams.get('host')!, `.s.PGSQL.${searchParams.get('port')}`);
  }

  /** SIGKILL for the postmaster; its backends notice, and end. Resolves when another one serves. */
  async kill(backWithinMs: number): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGKILL');
    await until(backWithinMs, 'Postgres to be back', () => this.pid !== pid);
  }

  async stop(): Promise<void> {
    await this.embedded.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
