/**
 * A real Redis of one test's own: a private server (`redis-server` or `valkey-server` of the PATH) on a free port, which
 * keeps nothing on disk. It can be killed, stopped in its tracks, and started again, empty, at the same place.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { until } from './server-process.js';

const NAMES = ['redis-server', 'valkey-server'];
const READY_MS = 20_000;
const PORT_TRIES = 5;

export interface TestRedisOptions {
  /** Settings of the server, as on its command line. */
  readonly args?: readonly string[];
}

export class TestRedis {
  #server: ChildProcess | undefined;
  #output = '';

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly args: readonly string[],
  ) {}

  static async start({ args = [] }: TestRedisOptions = {}): Promise<TestRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'homeport-redis-'));
    // Between finding a free port and taking it somebody else may take it.
    for (let tries = PORT_TRIES; ; tries--) {
      const redis = new TestRedis(await freePort(), folder, args);
      try {
        await redis.restart();
        return redis;
      } catch (error) {
        if (tries > 1) continue;
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it (again), with nothing in it, and waits until it answers. */
  async restart(): Promise<void> {
    if (this.#server) throw new Error('this Redis still runs');
    const place = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder];
    const nothingKept = ['--save', '', '--appendonly', 'no'];
    const server = spawn(redisServer(), [...place, ...nothingKept, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#server = server;
    // A test that fails before it disposes leaves nothing behind either.
    const endToo = (): void => void server.kill('SIGKILL');
    process.once('exit', endToo);
    for (const stream of [server.stdout, server.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    server.once('exit', () => {
      process.off('exit', endToo);
      this.#server = undefined;
    });
    try {
      await until(READY_MS, 'Redis to answer', async () => {
        if (!this.#server) throw new Error(`Redis ended\n${this.#output}`);
        return (await this.say('PING')) !== '';
      });
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** From now on it does nothing, and its connections stay open. */
  stop(): void {
    this.#running().kill('SIGSTOP');
  }

  cont(): void {
    this.#running().kill('SIGCONT');
  }

  /** How often each command was called since the server started, or since `forget`. */
  async commands(): Promise<ReadonlyMap<string, number>> {
    const info = await this.say('INFO commandstats');
    const lines = info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm);
    return new Map([...lines].map(([, command, calls]) => [command!, Number(calls)]));
  }

  async forget(): Promise<void> {
    await this.say('CONFIG RESETSTAT');
  }

  async dispose(): Promise<void> {
    await this.#end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  #running(): ChildProcess {
    if (!this.#server) throw new Error('this Redis does not run');
    return this.#server;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    server.kill(signal);
    await ended;
  }

  /** Says one line to it and gives the answer as it stands on the wire; empty if there is none. */
  say(line: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect(this.port, '127.0.0.1');
      socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
      socket.on('error', () => {});
      socket.once('close', () => resolve(answer));
      // It answers the one, then the other, and closes.
      socket.end(`${line}\r\nQUIT\r\n`);
    });
  }
}

/** A Redis for one test file; `dispose` ends it. */
export function startRedis(options?: TestRedisOptions): Promise<TestRedis> {
  return TestRedis.start(options);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

function redisServer(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
  if (found === undefined)
    throw new Error(
      `${NAMES.join(' or ')} is needed on the PATH: install it (\`apt-get install redis-server\`, \`brew install redis\`)`,
    );
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
