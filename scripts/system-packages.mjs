/**
 * What the tests need beside the packages of npm: said, and installed where that is allowed (root on Debian or Ubuntu);
 * elsewhere the run stops with the command to type.
 *
 * A new one is a new line of the table.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findChromium } from './chromium.mjs';
import { findExecutable } from './executable.mjs';

const PLAYWRIGHT = join(resolve(import.meta.dirname, '..'), 'node_modules/playwright-core/cli.js');

/**
 * `apt`: the package, by distribution where they differ. Ubuntu has Chromium as a snap only: there it is Playwright's
 * own, by `command`, which `byHand` types. `or`: what else would do.
 */
const PACKAGES = [
  {
    name: 'Chromium',
    needs: 'The browser tests need',
    isThere: () => findChromium() !== undefined,
    apt: { debian: 'chromium' },
    command: [process.execPath, PLAYWRIGHT, 'install', '--with-deps', 'chromium'],
    byHand: 'npx playwright-core install --with-deps chromium',
    or: ', or set CHROMIUM_PATH,',
  },
  {
    name: 'Redis 7 or newer',
    needs: 'The tests of several nodes need',
    isThere: hasRedis,
    apt: { debian: 'redis-server', ubuntu: 'redis-server' },
    byHand: 'brew install redis, or whatever your system has for it',
    or: '',
  },
  {
    name: 'HAProxy',
    needs: 'The tests of the load balancer need',
    isThere: hasHaproxy,
    apt: { debian: 'haproxy', ubuntu: 'haproxy' },
    byHand: 'brew install haproxy, or whatever your system has for it',
    or: '',
  },
];

/** Returns when everything is there; ends the process where that can not be had. */
export function provideSystemPackages() {
  const missing = PACKAGES.filter(({ isThere }) => !isThere());
  if (missing.length === 0) return;
  const family = familyOf(distribution());
  const mayInstall = process.getuid?.() === 0 && family !== undefined;
  if (!mayInstall) {
    for (const { needs, name, or, apt, byHand } of missing) {
      console.error(`${needs} ${name}. Install it${or} and run npm test again:`);
      console.error(`  ${apt[family] ? `sudo apt-get install ${apt[family]}` : byHand}`);
    }
    process.exit(1);
  }
  if (missing.some(({ apt }) => apt[family])) run(['apt-get', 'update']);
  for (const { needs, name, apt, command, isThere, or } of missing) {
    console.log(`${needs} ${name}.`);
    run(apt[family] ? ['apt-get', 'install', '--yes', '--no-install-recommends', apt[family]] : command);
    if (isThere()) continue;
    console.error(`${name} is still not there. Put it on the PATH${or} and run npm test again.`);
    process.exit(1);
  }
}

function hasRedis() {
  const server = findExecutable(['redis-server', 'valkey-server']);
  if (server === undefined) return false;
  const { stdout } = spawnSync(server, ['--version'], { encoding: 'utf8' });
  return Number(/\bv=(\d+)\./.exec(stdout ?? '')?.[1] ?? 0) >= 7;
}

/** Debian has it where only root's PATH looks. */
function hasHaproxy() {
  return spawnSync('haproxy', ['-v'], { env: { PATH: `${process.env.PATH}:/usr/sbin` } }).status === 0;
}

function run([command, ...args]) {
  console.log(`$ ${[command, ...args].join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status } = spawnSync(command, args, { stdio: 'inherit', env });
  if (status === 0) return;
  console.error(`${command} failed. Install by hand what is missing, and run npm test again.`);
  process.exit(1);
}

function familyOf({ id, like }) {
  if (id === 'debian') return 'debian';
  return id === 'ubuntu' || like.includes('ubuntu') ? 'ubuntu' : undefined;
}

function distribution() {
  let text = '';
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // not Linux
  }
  const field = (name) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(text)?.[1] ?? '';
  return { id: field('ID'), like: field('ID_LIKE') };
}
