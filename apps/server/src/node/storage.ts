import { join } from 'node:path';
import { EmbeddedPostgres, migrate, openDatabase, type Database } from '@homeport/postgres';
import type { Logger } from 'pino';
import type { Config } from '../config.js';

/** At the root of the repository; this file is built to `dist/apps/server/src/node`. */
const MIGRATIONS = join(import.meta.dirname, '../../../../../migrations');

/** The database, with its tables as this version knows them: the one of DATABASE_URL, or an embedded one of our own. */
export class Storage {
  private constructor(
    readonly database: Database,
    private readonly embedded: EmbeddedPostgres | undefined,
  ) {}

  /** Rejects with `StartRefused`, and nothing left running. */
  static async open({ databaseUrl, dataDir }: Config, log: Logger): Promise<Storage> {
    if (databaseUrl !== undefined) return new Storage(await ready(databaseUrl), undefined);
    const embedded = await EmbeddedPostgres.start(dataDir, (line) => log.warn(line));
    try {
      return new Storage(await ready(embedded.url), embedded);
    } catch (error) {
      await embedded.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.embedded?.stop();
  }
}

async function ready(url: string): Promise<Database> {
  const database = await openDatabase(url);
  try {
    await migrate(url, MIGRATIONS);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
