/** The load balancer of `docker-compose.yml` as it is configured there, in front of three servers of this machine. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PostgresProcess, RawClient, ServerProcess, TcpProxy, until } from '@homeport/testkit';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const CONFIG = 'docker/haproxy.cfg';
const SOON_MS = 30_000;
/** Long enough for a request on a busy machine, and shorter than the silence between two pings of a socket. */
const HTTP_TIMEOUT = '2s';
const NAMES = ['node-1', 'node-2', 'node-3'] as const;
type Name = (typeof NAMES)[number];

class Balancer {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(config: string, servers: Record<Name, ServerProcess>): Promise<Balancer> {
    const port = await freePort();
    const env = {
      BIND: `127.0.0.1:${port}`,
      HTTP_TIMEOUT,
      ...Object.fromEntries(NAMES.map((name, nth) => [`NODE_${nth + 1}`, `127.0.0.1:${servers[name].port}`])),
    };
    const child = spawn(findHaproxy(), ['-db', '-f', config], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const balancer = new Balancer(`http://localhost:${port}`, child);
    try {
      await until(SOON_MS, 'HAProxy to find all three servers', async () => {
        if (child.exitCode !== null) throw new Error(output);
        return (await Promise.all(NAMES.map((name) => balancer.whoAnswers(name)))).join() === NAMES.join();
      });
    } catch (error) {
      await balancer.stop();
      throw error;
    }
    return balancer;
  }

  connect(node?: Name): Promise<RawClient> {
    return RawClient.connect(node === undefined ? this.url : `${this.url}?node=${node}`);
  }

  /** The name that says hello; undefined: nobody let us in. */
  async whoAnswers(node?: Name): Promise<string | undefined> {
    const client = await this.connect(node).catch(() => undefined);
    client?.close();
    return client?.hello.node.name;
  }

  async stop(): Promise<void> {
    const ended = new Promise((gone) => this.child.once('close', gone));
    if (this.child.exitCode !== null) return;
    this.child.kill('SIGKILL');
    await ended;
  }
}

let servers: Record<Name, ServerProcess>;
let balancer: Balancer;
let postgres: PostgresProcess;
/** The way of node-1 to its Postgres; the others have an embedded one. */
let link: TcpProxy;

beforeAll(async () => {
  postgres = await PostgresProcess.start(await mkdtemp(join(tmpdir(), 'homeport-haproxy-')), () => {});
  link = await TcpProxy.to(postgres.socket);
  const linked = { DATABASE_URL: `postgres://homeport@127.0.0.1:${link.port}/postgres` };
  const started = await Promise.all(
    NAMES.map((name) => ServerProcess.start({ env: { NODE_NAME: name, ...(name === 'node-1' && linked) } })),
  );
  servers = Object.fromEntries(NAMES.map((name, nth) => [name, started[nth]!])) as Record<Name, ServerProcess>;
  balancer = await Balancer.start(CONFIG, servers);
});
afterAll(async () => {
  await balancer?.stop();
  await Promise.all(Object.values(servers).map((server) => server.dispose()));
  await link.close();
  await postgres.stop();
});

describe('where a connection goes', () => {
  it('Q1: to the node that it names, over the socket and over HTTP', async () => {
    for (const name of [...NAMES, ...NAMES]) expect(await balancer.whoAnswers(name)).toBe(name);
    await fetch(`${servers['node-2'].url}/v1/documents/only-there/push`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ops: [{ op: 'put', key: 'k', value: 1 }] }),
    });
    for (const [name, seq] of [
      ['node-1', 0],
      ['node-2', 1],
      ['node-3', 0],
    ] as const) {
      const read = await fetch(`${balancer.url}/v1/documents/only-there?node=${name}`);
      expect(await read.json()).toMatchObject({ ok: true, position: { seq } });
    }
  });

  it('Q1: without a name, or with one that nobody has, to whoever has least to do', async () => {
    const clients = await Promise.all(Array.from({ length: 9 }, () => balancer.connect()));
    const names = clients.map(({ hello }) => hello.node.name);
    expect(new Set(names)).toEqual(new Set(NAMES));
    const stranger = await RawClient.connect(`${balancer.url}?node=node-9`);
    expect(NAMES).toContain(stranger.hello.node.name);
    for (const client of [...clients, stranger]) client.close();
  });

  it('Q4: never makes somebody from outside look local: metrics and the cluster want a token', async () => {
    for (const path of ['/metrics', '/v1/cluster']) expect((await fetch(`${balancer.url}${path}`)).status).toBe(401);
  });
});

describe('a WebSocket', () => {
  /** A request to a node that hangs is given up after the timeout for requests: so much time has passed then. */
  async function outlastRequests(through: Balancer): Promise<void> {
    servers['node-3'].signal('SIGSTOP');
    const { status } = await fetch(`${through.url}/health/live?node=node-3`);
    servers['node-3'].signal('SIGCONT');
    expect(status).toBe(504);
    await until(SOON_MS, 'node-3 to be back', async () => (await through.whoAnswers('node-3')) === 'node-3');
  }

  it('stays open, in silence, for longer than a request may take', async () => {
    const client = await balancer.connect('node-1');
    await outlastRequests(balancer);
    expect(client.isConnected).toBe(true);
    expect(await client.ask('open', { document: 'still-open' })).toMatchObject({ ok: true });
    client.close();
  });

  it('would not, without a timeout of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'homeport-haproxy-'));
    const config = join(folder, 'haproxy.cfg');
    await writeFile(config, (await readFile(CONFIG, 'utf8')).replace(/^ *timeout tunnel .*$/m, ''));
    const broken = await Balancer.start(config, servers);
    try {
      const client = await broken.connect('node-1');
      await outlastRequests(broken);
      await client.ended();
    } finally {
      await broken.stop();
      await rm(folder, { recursive: true });
    }
  });
});

describe('a node that goes', () => {
  it('Q2: while it drains, new connections go elsewhere, and what waits is acknowledged on the old ones', async () => {
    const writer = await balancer.connect('node-1');
    await writer.ask('open', { document: 'draining' });
    link.pause();
    const push = { document: 'draining', opNo: 1, after: 0, ops: [{ op: 'put', key: 'k', value: 1 }] };
    const acknowledged = writer.ask('push', push);
    await until(SOON_MS, 'the push to wait at node-1', async () => {
      const metrics = await (await fetch(`${servers['node-1'].url}/metrics`)).text();
      return /^homeport_pending_pushes 1$/m.test(metrics);
    });
    servers['node-1'].signal('SIGTERM');
    await until(SOON_MS, 'node-1 to be taken out', async () => {
      const name = await balancer.whoAnswers('node-1');
      return name !== undefined && name !== 'node-1';
    });
    expect(writer.isConnected).toBe(true);
    link.resume();
    expect(await acknowledged).toMatchObject({ ok: true, position: { seq: 1 } });
    expect(await servers['node-1'].exited).toMatchObject({ code: 0 });
    await servers['node-1'].restart();
    await until(SOON_MS, 'node-1 to be back', async () => (await balancer.whoAnswers('node-1')) === 'node-1');
  });

  it('Q1: when it is killed, nobody who comes at that moment is refused, and it is back when it is back', async () => {
    await servers['node-2'].kill();
    const comers = Array.from({ length: 30 }, (_, nth) => balancer.whoAnswers(nth % 2 === 0 ? 'node-2' : undefined));
    const names = await Promise.all(comers);
    expect(names.filter((name) => name !== 'node-1' && name !== 'node-3')).toEqual([]);
    await servers['node-2'].restart();
    await until(SOON_MS, 'node-2 to be back', async () => (await balancer.whoAnswers('node-2')) === 'node-2');
  });
});

/** On the PATH, or where it is kept from those who are not root. */
function findHaproxy(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => join(folder, 'haproxy')).find(existsSync);
  if (found === undefined) throw new Error('no HAProxy was found: install haproxy, 2.6 or newer');
  return found;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
