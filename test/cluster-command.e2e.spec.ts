/** `npm run cluster` as somebody uses it who kills nodes by hand. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { isAlive, until, within } from '@homeport/testkit';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const LONG_MS = 90_000;

let folder: string;
let running: ClusterCommand[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeport-cluster-'));
  running = [];
});
afterEach(async () => {
  for (const command of running) await command.interrupt();
  await rm(folder, { recursive: true });
});

class ClusterCommand {
  output = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(...args: string[]) {
    const { PATH, HOME } = process.env;
    // In a group of its own, as a shell starts it.
    this.#child = spawn(process.execPath, ['scripts/cluster.mjs', ...args], {
      env: { PATH, HOME, DATA_DIR: folder },
      detached: true,
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.exited = new Promise((ended) => this.#child.on('close', ended));
    running.push(this);
  }

  async says(words: RegExp, times = 1): Promise<void> {
    const all = new RegExp(words, 'gm');
    await until(LONG_MS, `${words}`, () => (this.output.match(all) ?? []).length >= times).catch((error: unknown) => {
      throw new Error(this.output, { cause: error });
    });
  }

  get nodePids(): readonly number[] {
    return [...this.output.matchAll(/ready at \S+, pid (\d+)/g)].map(([, pid]) => Number(pid));
  }
  get postgresPid(): number {
    return Number(/embedded Postgres, pid (\d+)/.exec(this.output)![1]);
  }

  /** Ctrl-C: the terminal sends it to the whole group. */
  async interrupt(): Promise<number | null> {
    if (isAlive(-this.#child.pid!)) process.kill(-this.#child.pid!, 'SIGINT');
    return within(LONG_MS, 'the command to end', this.exited, () => this.output);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

it('Q3, W1: a node that is killed is started again with what it had; Ctrl-C, twice, stops it and loses nothing', async () => {
  const port = await freePort();
  const document = `http://localhost:${port}/v1/documents/kept`;
  const push = (n: number) =>
    fetch(`${document}/push`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ops: [{ op: 'put', key: `k${n}`, value: n }] }),
    });
  const keys = async () => Object.keys(((await (await fetch(document)).json()) as { records: object }).records);

  const first = new ClusterCommand('--nodes', '1', '--port', String(port));
  await first.says(/^ {2}look +http:\S+\/cluster$/);
  expect((await push(1)).status).toBe(200);
  process.kill(first.nodePids[0]!, 'SIGKILL');
  await first.says(/ended with SIGKILL, started again/);
  await first.says(/ready at/, 2);
  expect(await keys()).toEqual(['k1']);
  expect((await push(2)).status).toBe(200);

  const ending = first.interrupt();
  await first.says(/cluster \| stopping/);
  void first.interrupt();
  expect(await ending).toBe(0);
  expect(first.output).toMatch(/ended with code 0, everything saved/);
  // The signal reached the node once, from who supervises it: it was not told twice.
  expect(first.output).not.toMatch(/still saving/);
  const pids = [...first.nodePids, first.postgresPid];
  await until(LONG_MS, 'every process to have ended', () => !pids.some(isAlive));

  const again = new ClusterCommand('--nodes', '1', '--port', String(port));
  await again.says(/ready at/);
  expect(await keys()).toEqual(['k1', 'k2']);
});

it('says in one line what is wrong', async () => {
  const taken = createServer();
  await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
  const { port } = taken.address() as AddressInfo;
  const refused = async (line: RegExp, ...args: string[]) => {
    const command = new ClusterCommand(...args);
    expect(await command.exited).toBe(1);
    expect(command.output.trim()).toMatch(line);
  };
  await refused(/^cluster: port \d+ is taken: .*$/, '--nodes', '1', '--port', String(port));
  await refused(/^cluster: --nodes must be a whole number from 1 to 8, not "x"$/, '--nodes', 'x');
  await refused(/^cluster: Unknown option '--node'.*$/, '--node', '3');
  await new Promise((closed) => taken.close(closed));
});
