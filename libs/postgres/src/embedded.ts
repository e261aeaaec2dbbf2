/**
 * A real Postgres that belongs to one data folder and is looked after by one server.
 *
 *   absent ── start ──> up ── it died ──> restarting ──> up
 *                       up ── stop ──> stopped
 *
 * Its address never changes while the server runs, so the driver reconnects by itself after a restart. A Postgres that
 * outlived a killed server is adopted as it runs; what that server's connections still execute is judged by the fence.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Connections } from './connections.js';
import { connect } from './database.js';
import { FolderLock, isRunning } from './folder-lock.js';
import { Postmaster, type Running } from './postmaster.js';
import { StartRefused } from './start-refused.js';

const WATCH_MS = 100;
const RETRY_MS = 1_000;
const STOP_MS = 20_000;
const HELD_MS = 30_000;

export class EmbeddedPostgres {
  readonly url: string;
  readonly #postmaster: Postmaster;
  readonly #lock: FolderLock;
  readonly #tell: (line: string) => void;
  #running: Running;
  #watch: NodeJS.Timeout;
  /** The restart under way. */
  #restarting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(postmaster: Postmaster, lock: FolderLock, running: Running, tell: (line: string) => void) {
    this.#postmaster = postmaster;
    this.#lock = lock;
    this.#running = running;
    this.#tell = tell;
    this.url = postmaster.urlAt(running.socketFolder);
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.#watch.unref();
  }

  /** Rejects with `StartRefused`: folder not writable, in use by another server, or no Postgres for this machine. */
  static async start(folder: string, tell: (line: string) => void): Promise<EmbeddedPostgres> {
    const dataDir = resolve(folder);
    makeWritable(dataDir);
    const lock = FolderLock.take(join(dataDir, 'server.pid'), dataDir);
    try {
      const postmaster = await Postmaster.prepare(dataDir);
      postmaster.initialise();
      const running = await bringUp(postmaster, postmaster.chooseSocketFolder(), (orphan) =>
        tell(`adopted the embedded Postgres in ${dataDir} that outlived its server (process ${orphan.pid})`),
      );
      return new EmbeddedPostgres(postmaster, lock, running, tell);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** The process id of the postmaster. */
  get pid(): number {
    return this.#running.pid;
  }

  /** Resolves when Postgres has written everything out and is gone. */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    clearInterval(this.#watch);
    await this.#restarting;
    await this.#postmaster.stop(this.#running, STOP_MS);
    this.#lock.release();
  }

  /** It may not be our child (adopted), so its end is looked for, not reported. */
  #look(): void {
    if (this.#restarting || isRunning(this.#running.pid)) return;
    this.#restarting = this.#restart().finally(() => (this.#restarting = undefined));
  }

  async #restart(): Promise<void> {
    this.#tell('the embedded Postgres ended unexpectedly and is started again');
    while (this.#stopped === undefined) {
      try {
        this.#running = await bringUp(this.#postmaster, this.#running.socketFolder);
        return;
      } catch (error) {
        this.#tell((error as Error).message);
        await new Promise((retry) => setTimeout(retry, RETRY_MS));
      }
    }
  }
}

/** Adopts the Postgres that works in the folder, else starts one. The folder may be held for a moment by one that dies, or is just starting. */
async function bringUp(
  postmaster: Postmaster,
  socketFolder: string,
  adopted: (orphan: Running) => void = () => {},
): Promise<Running> {
  const endMs = Date.now() + HELD_MS;
  for (;;) {
    const orphan = await livingOrphan(postmaster);
    if (orphan) {
      adopted(orphan);
      return orphan;
    }
    const started = await postmaster.start(socketFolder);
    if (started) return started;
    if (Date.now() > endMs)
      throw new StartRefused('another Postgres holds the data folder and does not answer: stop it');
  }
}

/** A process that was killed may be seen for a moment still: only one that answers is alive. */
async function livingOrphan(postmaster: Postmaster): Promise<Running | undefined> {
  const orphan = postmaster.find();
  if (orphan === undefined) return undefined;
  const asked = new Connections(() => connect(postmaster.urlAt(orphan.socketFolder), 1));
  try {
    await asked.run((sql) => sql`SELECT 1`);
    return orphan;
  } catch {
    return undefined;
  } finally {
    await asked.close();
  }
}

function makeWritable(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartRefused(
      `DATA_DIR ${dataDir} can not be written (${code}): make it writable, or choose another DATA_DIR`,
    );
  }
}
