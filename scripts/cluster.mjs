/**
 * `npm run cluster`: a cluster on this machine, to look at, to kill and to play with.
 *
 * One embedded Postgres and one private Redis for all, and N nodes, each a process of its own that is started again when
 * it ends badly. Ctrl-C stops the nodes one after the other, so that each hands over what it has, then Redis, then
 * Postgres. A second Ctrl-C changes nothing: the end is bounded, and work that waits for its commit is not thrown away.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Supervised } from './supervised.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const SERVER = join(ROOT, 'dist/apps/server/src/main.js');
const NODES_MAX = 8;
/** A node bounds its own end to 25 s. */
const GRACE_MS = 40_000;
const READY = /^Homeport is ready at (\S+)$/;
const COLOURS = [34, 36, 33, 35, 94, 32, 95, 31];
const REDIS = ['redis-server', 'valkey-server'];

const HELP = `A Homeport cluster on this machine, with an embedded Postgres and a private Redis.

Usage: npm run cluster [-- --nodes 3 --port 3000]

  --nodes N   how many nodes, 1 to ${NODES_MAX} [3]; one alone runs without Redis
  --port P    the port of the first node; the others follow [3000]

Other settings come from the environment, as for npm start; LOG_LEVEL is warn, DATA_DIR is .homeport/cluster.
Kill a node by hand (kill -9 <pid>) and it is started again; stop one (kill <pid>) and it stays down. Ctrl-C stops all.`;

const { nodes: count, port: firstPort } = readArguments();
const dataDir = resolve(process.env.DATA_DIR || '.homeport/cluster');
const nodes = [];
let redis;
let postgres;
let stopping;
/** Before all nodes were ready once, a node that ends means that the start is refused. */
let isUp = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    tell(stopping ? 'still stopping, one node after the other' : 'stopping, one node after the other');
    void stop().then((isSaved) => process.exit(isSaved ? 0 : 1));
  });
// Who reads our output may be gone; that ends nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
// Whatever ends this process, nothing that it started is left behind.
process.on('exit', () => [...nodes, redis].forEach((started) => started?.kill('SIGTERM')));

const starting = start();
try {
  await starting;
  isUp = !stopping;
  if (isUp) console.log(banner());
} catch (error) {
  if (!stopping) console.error(`cluster: ${error.message}`);
  await stop();
  process.exit(1);
}

async function start() {
  const redisFile = count > 1 ? findRedis() : undefined;
  for (let nth = 0; nth < count; nth++) await claim(firstPort + nth);
  build();
  const { EmbeddedPostgres } = await import(pathToFileURL(join(ROOT, 'dist/libs/postgres/src/index.js')).href);
  postgres = await EmbeddedPostgres.start(dataDir, (line) => tell(line));
  const redisUrl = redisFile && (await startRedis(redisFile));
  if (stopping) return;
  await Promise.all(Array.from({ length: count }, (_, nth) => startNode(nth, postgres.url, redisUrl)));
}

/** Resolves when it serves for the first time. */
function startNode(nth, databaseUrl, redisUrl) {
  const name = `node-${nth + 1}`;
  const port = firstPort + nth;
  const env = {
    LOG_LEVEL: 'warn',
    ...process.env,
    HOST: '127.0.0.1',
    PORT: String(port),
    NODE_NAME: name,
    PUBLIC_URL: `http://localhost:${port}`,
    ALLOWED_ORIGINS: origins().join(','),
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
  };
  const say = (line) => tell(line, name, COLOURS[nth]);
  return new Promise((ready, refused) => {
    const node = new Supervised(
      { file: process.execPath, args: [...nodeFlags(), SERVER], env },
      {
        said(line, stream) {
          if (stream === 'stderr') say(line);
          else if (READY.test(line)) {
            say(`ready at ${READY.exec(line)[1]}, pid ${node.pid}`);
            ready();
          }
        },
        ended(exit, pauseMs) {
          // The process was reaped, so it is dead beyond doubt: whoever wants to tell the cluster before it finds out
          // by itself does it here.
          say(`ended with ${exit.signal ?? `code ${exit.code}`}, ${fate(exit, pauseMs)}`);
          if (!isUp) refused(new Error(`${name} did not start`));
        },
      },
    );
    nodes.push(node);
    node.start();
  });
}

function fate(exit, pauseMs) {
  if (pauseMs !== undefined) return `started again in ${pauseMs} ms`;
  return exit.code === 0 ? 'everything saved' : 'not everything is saved';
}

/** On loopback, on a port of its own, with nothing on disk. */
async function startRedis(file) {
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  redis = new Supervised(
    { file, args, env: process.env },
    {
      said: () => {},
      ended: (_exit, pauseMs) => pauseMs && tell(`Redis ended, started again in ${pauseMs} ms`),
    },
  );
  redis.start();
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 200) throw new Error('Redis does not answer');
    await new Promise((later) => setTimeout(later, 50));
  }
  return `redis://127.0.0.1:${port}`;
}

/** Nodes one at a time, so that each has somebody to hand over to. Answers whether everything is saved. */
function stop() {
  stopping ??= (async () => {
    let isSaved = true;
    for (const node of nodes) isSaved = (await node.stop(GRACE_MS)).code === 0 && isSaved;
    // What was just being started is there to be stopped then.
    await starting.catch(() => {});
    await redis?.stop(GRACE_MS);
    await postgres?.stop();
    return isSaved;
  })();
  return stopping;
}

function banner() {
  const rows = nodes.map(({ pid }, nth) => `  node-${nth + 1}   http://localhost:${firstPort + nth}   pid ${pid}`);
  return [
    '',
    `Homeport runs on ${count === 1 ? 'one node' : `${count} nodes`}. Draw at any of them:`,
    '',
    ...rows,
    '',
    `  look     http://localhost:${firstPort}/cluster`,
    `  data     ${relative('', dataDir) || '.'} (an embedded Postgres, pid ${postgres.pid})`,
    ...(redis ? [`  redis    a private one, pid ${redis.pid}`] : []),
    '',
    'kill -9 a node and it is started again; Ctrl-C stops all.',
    '',
  ].join('\n');
}

function tell(line, name = 'cluster', colour = 90) {
  const prefix = `${name.padEnd(8)}|`;
  const isColoured = process.stdout.isTTY && !process.env.NO_COLOR;
  console.log(`${isColoured ? `\x1b[${colour}m${prefix}\x1b[0m` : prefix} ${line}`);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        nodes: { type: 'string', default: '3' },
        port: { type: 'string', default: '3000' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const nodes = wholeNumber('--nodes', values.nodes, 1, NODES_MAX);
    return { nodes, port: wholeNumber('--port', values.port, 1, 65_536 - nodes) };
  } catch (error) {
    console.error(`cluster: ${error.message}`);
    process.exit(1);
  }
}

function wholeNumber(name, text, min, max) {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new Error(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
  return value;
}

/** A page of one node goes to the others. */
function origins() {
  return Array.from({ length: count }, (_, nth) => firstPort + nth).flatMap((port) =>
    ['localhost', '127.0.0.1', '[::1]'].map((host) => `http://${host}:${port}`),
  );
}

/** Those that `npm start` runs the server with. */
function nodeFlags() {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
}

function build() {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/start.mjs'), '--build-only'], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the server could not be built');
}

function findRedis() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders.flatMap((folder) => REDIS.map((name) => join(folder, name))).find(isExecutable);
  if (found === undefined)
    throw new Error(`more than one node needs Redis: install redis-server 7 (or valkey-server), or run with --nodes 1`);
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function claim(port) {
  return listen(port).catch(() => {
    throw new Error(`port ${port} is taken: end what listens there (a node that was left?), or choose another --port`);
  });
}

function freePort() {
  return listen(0);
}

/** Binds a port and lets go of it. */
function listen(port) {
  const server = createServer();
  return new Promise((bound, refused) => {
    server.once('error', refused);
    server.listen(port, '127.0.0.1', () => {
      const { port: found } = server.address();
      server.close(() => bound(found));
    });
  });
}

function answers(port) {
  const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
  return new Promise((told) => {
    socket.once('data', (data) => told(String(data).startsWith('+PONG')));
    socket.once('error', () => told(false));
    socket.once('close', () => told(false));
    socket.setTimeout(1_000, () => told(false));
  }).finally(() => socket.destroy());
}
