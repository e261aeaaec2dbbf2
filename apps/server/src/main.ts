/**
 * The server: reads its settings, starts a home, opens the door, and closes it in the opposite order.
 *
 * Exit codes: 0 stopped when asked to, with everything saved · 1 the start was refused, or not everything could be saved
 * in time · 70 a bug · 75 this node lost its place to another one: start it again, as a new node.
 */
import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { StartRefused } from '@homeport/postgres';
import { Config, help } from './config.js';
import { createWebApp } from './http/web-app.js';
import { claimAddress } from './node/address.js';
import { Home } from './node/home.js';
import { createLog } from './observe/log.js';
import { banner } from './banner.js';

const EXIT_BUG = 70;
const EXIT_LOST = 75;

interface Running {
  readonly home: Home;
  readonly app: INestApplication;
}

async function start(): Promise<Running> {
  const config = Config.read(process.env);
  const log = createLog(config.logLevel);
  process.on('uncaughtException', (error) => {
    log.fatal(error, 'a bug ends this process; what was acknowledged is saved');
    process.exit(EXIT_BUG);
  });
  const address = await claimAddress(config);
  const home = await Home.start(config, address, log);
  void home.node.lost.then((reason) => {
    log.fatal({ reason }, 'this node lost its place and exits');
    process.exit(EXIT_LOST);
  });
  try {
    const app = await createWebApp(home);
    await app.listen(address.port, address.host);
    return { home, app };
  } catch (error) {
    // What it has taken goes to the others at once: nobody waits for a lease that nobody renews.
    await home.drain();
    await home.stop();
    throw error;
  }
}

/** Clients are answered until the last push is saved; then the door closes, and Postgres stops last. */
async function stop({ home, app }: Running): Promise<void> {
  const isSaved = await home.drain();
  await app.close();
  await home.stop();
  process.exit(isSaved ? 0 : 1);
}

function refuseStart(error: unknown): never {
  // A refusal is a line for the operator, anything else is a bug and shows where it is.
  console.error(error instanceof StartRefused ? `homeport: ${error.message}` : error);
  process.exit(1);
}

// Who read our output may be gone; that ends nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(help());
  process.exit(0);
}
if (args.length > 0)
  refuseStart(new StartRefused(`${args[0]} is not known: settings come from the environment, --help lists them`));

const running = start();
let isStopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => {
    // A second Ctrl-C changes nothing: the end is bounded, and work that waits for its commit is not thrown away.
    console.error(isStopping ? 'homeport: still saving' : 'homeport: saving and stopping');
    if (isStopping) return;
    isStopping = true;
    running.then(stop).catch((error: unknown) => {
      console.error('homeport: the stop failed;', error);
      process.exit(EXIT_BUG);
    });
  });

running.then(({ home }) => console.log(banner(home)), refuseStart);
