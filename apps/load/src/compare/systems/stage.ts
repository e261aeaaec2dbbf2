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
import type { Servers, System } from './system.js';

export class Stage {
  readonly #systems: System[] = [];
  /** What has to end, in the order in which it was started. */
  readonly #ends: (() => Promise<unknown>)[] = [];

  static async set(tell: (line: string) => void): Promise<Stage> {
    const stage = new Stage();
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
    this.#add(await startEcho());
    this.#add(await startStateless(await createDatabase(postgres.url, 'stateless'), redis.url));
    this.#add(await startHomeport(await createDatabase(postgres.url, 'homeport')));
    this.#add(await startCluster(await createDatabase(postgres.url, 'cluster'), redis.url));
  }

  #add({ systems, stop }: Servers): void {
    this.#systems.push(...systems);
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
