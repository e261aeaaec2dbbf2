/**
 * `npm start`: builds what is not built from the sources as they are, then becomes the server.
 *
 * The server is imported, not spawned: there is one process, and signals reach it. With `--build-only` it ends after
 * the building.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '..');
const STAMPS = join(ROOT, 'dist/.built');
const SERVER = join(ROOT, 'dist/apps/server/src/main.js');

/** What is built, from which sources, and by which command of a package. */
const PARTS = [
  {
    name: 'server',
    makes: 'dist/apps/server/src/main.js',
    sources: [
      'apps/server',
      'libs/protocol',
      'libs/core',
      'libs/postgres',
      'libs/redis',
      'nest-cli.json',
      'tsconfig.json',
    ],
    command: ['@nestjs/cli/bin/nest.js', 'build', 'server'],
  },
  {
    name: 'client',
    makes: 'dist/client/client.js',
    sources: ['libs/client', 'libs/protocol', 'tsconfig.json'],
    command: ['vite/bin/vite.js', 'build', '--logLevel', 'warn', '--config', 'libs/client/vite.config.ts'],
  },
  {
    name: 'whiteboard',
    makes: 'dist/apps/whiteboard/index.html',
    sources: ['apps/whiteboard', 'libs/client', 'libs/protocol', 'tsconfig.json'],
    command: ['vite/bin/vite.js', 'build', '--logLevel', 'warn', '--config', 'apps/whiteboard/vite.config.ts'],
  },
  {
    name: 'cluster page',
    makes: 'dist/apps/cluster/index.html',
    sources: ['apps/cluster', 'apps/whiteboard/src/base.css', 'apps/whiteboard/src/theme.ts', 'tsconfig.json'],
    command: ['vite/bin/vite.js', 'build', '--logLevel', 'warn', '--config', 'apps/cluster/vite.config.ts'],
  },
];

/** A digest of all that goes into a part, tests apart: names and contents, and the packages that are installed. */
async function sourcesOf(part) {
  const digest = createHash('sha256').update(part.command.join(' '));
  for (const source of ['package-lock.json', ...part.sources]) {
    const path = join(ROOT, source);
    const files = (await stat(path)).isDirectory() ? await readdir(path, { recursive: true, withFileTypes: true }) : [];
    const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
    for (const file of files.length > 0 ? paths.sort() : [path]) {
      if (/\.spec\.tsx?$/.test(file)) continue;
      digest.update(`${file.slice(ROOT.length)}\n`).update(await readFile(file));
    }
  }
  return digest.digest('hex');
}

async function build(part) {
  const stamp = join(STAMPS, part.name);
  const sources = await sourcesOf(part);
  const built = await readFile(stamp, 'utf8').catch(() => '');
  if (built === sources && existsSync(join(ROOT, part.makes))) return;
  console.log(`building the ${part.name} …`);
  const startedMs = performance.now();
  await run(part);
  await mkdir(STAMPS, { recursive: true });
  await writeFile(stamp, sources);
  console.log(`built the ${part.name} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}

/** Its output is shown only if it fails. */
function run({ name, command: [script, ...args] }) {
  const child = spawn(process.execPath, [join(ROOT, 'node_modules', script), ...args], { cwd: ROOT });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code) =>
      code === 0 ? done() : failed(new Error(`the ${name} could not be built\n\n${output}`)),
    );
  });
}

const args = process.argv.slice(2);
const isBuildOnly = args.includes('--build-only');
if (!args.includes('--help') || !existsSync(SERVER)) {
  try {
    const outcomes = await Promise.allSettled(PARTS.map(build));
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
  } catch (error) {
    console.error(`start: ${error.message}`);
    process.exit(1);
  }
}
if (!isBuildOnly) {
  process.argv = [process.execPath, SERVER, ...args];
  await import(pathToFileURL(SERVER).href);
}
