/**
 * The shipped server as a process of its own, for tests and load runs that must be able to kill it.
 *
 * It runs the built `dist/apps/server/src/main.js` with nothing of the caller's settings, on a port that is kept over
 * restarts, so that clients find it again. Without a DATABASE_URL it has a data folder of its own in the temporary
 * directory; `dispose` ends whatever still runs there (a Postgres outlives a killed server) and removes it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface ServerProcessOptions {
  /** Settings of the server, as in its environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** The file to run. */
  readonly main?: string;
  readonly readyWithinMs?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const LOG_CHARS_KEPT = 200_000;
const READY = /^Homeport is ready at (\S+)$/m;

export class ServerProcess {
  #child: ChildProcess | undefined;
  #exit: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  #stdout = '';
  #stderr = '';
  #url = '';

  private constructor(
    private readonly options: ServerProcessOptions,
    /** Where its own Postgres lives; undefined with a DATABASE_URL. */
    readonly dataDir: string | undefined,
  ) {}

  /** Starts a server and waits until it serves. Rejects with its output if it ends or takes too long. */
  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const server = await ServerProcess.prepare(options);
    try {
      await server.restart();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  /** A start that is expected to fail: waits for the end of the process, and kills it if it does not come. */
  static async fail(options: ServerProcessOptions = {}): Promise<Exit & { stdout: string; stderr: string }> {
    const server = await ServerProcess.prepare(options);
    try {
      server.#spawn();
      const exit = await within(
        options.readyWithinMs ?? 30_000,
        'the refused start to end',
        server.#exit,
        () => server.logs,
      );
      return { ...exit, stdout: server.#stdout, stderr: server.#stderr };
    } finally {
      await server.dispose();
    }
  }

  private static async prepare(options: ServerProcessOptions): Promise<ServerProcess> {
    const main = mainOf(options);
    if (!existsSync(main)) throw new Error(`${main} is not there: build it with \`npx nest build server\``);
    const own = options.env?.['DATABASE_URL'] === undefined && options.env?.['DATA_DIR'] === undefined;
    return new ServerProcess(options, own ? await mkdtemp(join(tmpdir(), 'homeport-')) : options.env?.['DATA_DIR']);
  }

  /** Where it can be reached; the same over restarts. */
  get url(): string {
    return this.#url;
  }
  get port(): number {
    return Number(new URL(this.#url).port);
  }
  get pid(): number {
    return this.#running().pid!;
  }
  /** Everything it wrote, the last start included. */
  get logs(): string {
    return `--- stdout\n${this.#stdout}\n--- stderr\n${this.#stderr}`;
  }
  /** How the present process ended, once it did. */
  get exited(): Promise<Exit> {
    return this.#exit;
  }

  /** Starts it (again), on the port it had, and waits until it serves. */
  async restart(): Promise<void> {
    if (this.#child) throw new Error('the server still runs');
    const from = this.#stdout.length;
    const child = this.#spawn();
    const ready = new Promise<string>((found, gone) => {
      const look = () => {
        const match = READY.exec(this.#stdout.slice(from));
        if (match) found(match[1]!);
      };
      child.stdout!.on('data', look);
      void this.#exit.then((exit) => gone(new Error(`the server ended (${describe(exit)})\n${this.logs}`)));
    });
    try {
      this.#url = await within(this.options.readyWithinMs ?? 60_000, 'the server to be ready', ready, () => this.logs);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#running().kill(signal);
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<Exit> {
    this.#child?.kill('SIGKILL');
    return this.#exit;
  }

  /** SIGTERM; resolves when it has drained and gone. */
  async stop(stoppedWithinMs = 40_000): Promise<Exit> {
    this.#child?.kill('SIGTERM');
    return within(stoppedWithinMs, 'the server to stop', this.#exit, () => this.logs);
  }

  /** SIGKILL for the Postgres in its data folder and all its backends. Answers whether there was one. */
  async killPostgres(): Promise<boolean> {
    const pid = await this.#postmaster();
    if (pid === undefined) return false;
    // Backends notice that their postmaster died and end by themselves; the postmaster is what restarts anything.
    process.kill(pid, 'SIGKILL');
    await until(10_000, `the Postgres ${pid} to end`, () => !isAlive(pid));
    return true;
  }

  /** Ends everything that was started and removes the data folder, if it was ours. */
  async dispose(): Promise<void> {
    await this.kill();
    if (this.options.env?.['DATABASE_URL'] !== undefined || this.options.env?.['DATA_DIR'] !== undefined) return;
    const pid = await this.#postmaster();
    if (pid !== undefined) {
      process.kill(pid, 'SIGCONT');
      process.kill(pid, 'SIGQUIT');
      await until(20_000, `the Postgres ${pid} to end`, () => !isAlive(pid));
    }
    await rm(this.dataDir!, { recursive: true, force: true });
  }

  #running(): ChildProcess {
    if (!this.#child) throw new Error('the server does not run');
    return this.#child;
  }

  #spawn(): ChildProcess {
    const { PATH, HOME, TMPDIR, LANG } = process.env;
    const base = Object.fromEntries(
      Object.entries({ PATH, HOME, TMPDIR, LANG }).filter(([, value]) => value !== undefined),
    );
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', ...nodeFlags(), mainOf(this.options), ...(this.options.args ?? [])],
      {
        env: {
          ...base,
          ...(this.dataDir !== undefined && { DATA_DIR: this.dataDir }),
          ...this.options.env,
          ...(this.#url ? { PORT: String(this.port) } : { PORT: this.options.env?.['PORT'] ?? '0' }),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout = kept(this.#stdout + text)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr = kept(this.#stderr + text)));
    // `close`, not `exit`: the last lines of its output have arrived by then.
    this.#exit = new Promise((ended) => {
      child.on('error', (error) => {
        this.#stderr += error.message;
        this.#child = undefined;
        ended({ code: null, signal: null });
      });
      child.on('close', (code, signal) => {
        this.#child = undefined;
        ended({ code, signal });
      });
    });
    return child;
  }

  /** The pid of the living postmaster of the data folder. */
  async #postmaster(): Promise<number | undefined> {
    if (this.dataDir === undefined) throw new Error('this server uses the Postgres of its DATABASE_URL');
    const files = await readdir(this.dataDir, { recursive: true }).catch(() => []);
    const file = files.find((path) => path.endsWith('postmaster.pid'));
    if (file === undefined) return undefined;
    const pid = Number((await readFile(join(this.dataDir, file), 'utf8')).split('\n', 1)[0]);
    return isAlive(pid) ? pid : undefined;
  }
}

/** Waits until `holds` is true; rejects, saying what did not come. */
export async function until(limitMs: number, what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The value of `promise`; rejects after `limitMs`, saying what did not come and what was seen instead. */
export async function within<T>(limitMs: number, what: string, promise: Promise<T>, seen = () => ''): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limitMs} ms in vain for ${what}\n${seen()}`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Those that `npm start` runs the server with. */
export function nodeFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
}

function mainOf(options: ServerProcessOptions): string {
  return options.main ?? resolve('dist/apps/server/src/main.js');
}

function kept(text: string): string {
  return text.length > LOG_CHARS_KEPT ? text.slice(-LOG_CHARS_KEPT) : text;
}

function describe({ code, signal }: Exit): string {
  return signal ? `signal ${signal}` : `code ${code}`;
}

/** Whether the process, or the group of a negative number, runs: one that nobody has asked after yet has ended all the same. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // An orphan that has ended stays a zombie until process 1 asks for it, which in some containers takes long.
    return pid < 0 || process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
