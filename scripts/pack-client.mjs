/**
 * `npm run pack:client`: makes one installable package of the SDK, with the protocol and the types inside:
 * dist/pack/homeport-client-<version>.tgz.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PACKAGE = join(ROOT, 'dist/pack/client');
const LIB = join(PACKAGE, 'lib');

rmSync(PACKAGE, { recursive: true, force: true });
mkdirSync(PACKAGE, { recursive: true });
run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'libs/client/tsconfig.pack.json'], ROOT);
for (const file of readdirSync(LIB, { recursive: true })) if (/\.(js|d\.ts)$/.test(file)) inline(join(LIB, file));
writeFileSync(join(PACKAGE, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
writeFileSync(join(PACKAGE, 'LICENSE'), readFileSync(join(ROOT, 'LICENSE')));
run('npm', ['pack', '--silent', '--pack-destination', join(ROOT, 'dist/pack')], PACKAGE);

/** The protocol is part of the package: its name becomes the way to it. */
function inline(file) {
  const protocol = relative(dirname(file), join(LIB, 'protocol/src/index.js')).replaceAll('\\', '/');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replaceAll(/(["'])@homeport\/protocol\1/g, `'${protocol}'`));
}

function manifest() {
  const { version, license, engines, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const entry = './lib/client/src/index';
  return {
    name: '@homeport/client',
    version,
    description: 'The Homeport SDK: shared documents, shown at once, saved exactly once.',
    license,
    type: 'module',
    engines,
    sideEffects: false,
    exports: { '.': { types: `${entry}.d.ts`, default: `${entry}.js` } },
    files: ['lib'],
    dependencies: { 'socket.io-client': dependencies['socket.io-client'] },
  };
}

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
