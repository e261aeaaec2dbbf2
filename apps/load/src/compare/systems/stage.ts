/**
 * Everything that a comparison runs on: one embedded Postgres with a database for each system, one Redis, and the
 * servers. It all ends with `stop`. Who does not play stands still but for its heartbeats.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, EmbeddedPostgres } from '@homeport/postgres';
import { TestRedis } from '@homeport/testkit';
import { startEcho, startStateless } from './baselines.js';
import { startCluster, startHomeport } from './homeport.js';
import type { Servers, System, SystemName } from './system.js';

const STARTS: readonly {
  readonly names: readonly SystemName[];
  start(databaseUrl: string, redisUrl: string): Promise<Servers>;
}[] = [
  { names: ['echo'], start: startEcho },
  { names: ['stateless'], start: startStateless },
  { names: ['homeport'], start: startHomeport },
  { names: ['pinned', 'relayed'], start: startCluster },
];

export class Stage {
  readonly #systems: System[] = [];
  /** What has to end, in the order in which it was started. */
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(private readonly names: readonly SystemName[]) {}

  static async set(names: readonly SystemName[], tell: (line: string) => void): Promise<Stage> {
    const stage = new Stage(names);
    try {
      await stage.#start(tell);
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  /** In the order in which they play. */
  get systems(): readonly System[] {
    return this.#systems;
  }

  async stop(): Promise<void> {
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end();
  }

  async #start(tell: (line: string) => void): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'homeport-compare-'));
    this.#ends.push(() => rm(folder, { recursive: true, force: true }));
    const postgres = await EmbeddedPostgres.start(folder, tell);
    this.#ends.push(() => postgres.stop());
    const redis = await TestRedis.start();
    this.#ends.push(() => redis.dispose());
    const wanted = STARTS.filter(({ names }) => names.some((name) => this.names.includes(name)));
    const databases: string[] = [];
    for (const { names } of wanted) databases.push(await createDatabase(postgres.url, names[0]!));
    const started = await Promise.allSettled(wanted.map(({ start }, i) => start(databases[i]!, redis.url)));
    for (const outcome of started) if (outcome.status === 'fulfilled') this.#add(outcome.value);
    for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
  }

  #add({ systems, stop }: Servers): void {
    this.#systems.push(...systems.filter(({ name }) => this.names.includes(name)));
    this.#ends.push(stop);
  }
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const sql = connect(serverUrl, 1);
  try {
    await sql.unsafe(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  } finally {
    await sql.end({ timeout: 5 });
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
