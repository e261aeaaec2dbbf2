/**
 * `npm test`: everything that shows that this checkout works.
 *
 * Provides Chromium, builds what is stale, runs `npm run check`, then the tests: first those that share the machine
 * well, then, one after the other, those that start servers and browsers of their own. The last line is the sum.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findChromium } from './chromium.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

/** Servers and browsers need the machine for themselves; the other files run side by side. */
const ROUNDS = [
  { name: 'alone', args: ['--exclude', '**/*.e2e.spec.ts', '--exclude', '**/*.browser.spec.ts'] },
  { name: 'end-to-end', args: ['.e2e.spec.ts', '.browser.spec.ts', '--no-file-parallelism'] },
];

provideChromium();
const steps = [];
steps.push(['build', await run(process.execPath, ['scripts/start.mjs', '--build-only'])]);
// The planted bugs of the kill test are loaded into the server, as it is built.
steps.push(['build load', await run(process.execPath, ['node_modules/@nestjs/cli/bin/nest.js', 'build', 'load'])]);
steps.push(['check', await run('npm', ['run', '--silent', 'check'])]);

const results = mkdtempSync(join(tmpdir(), 'homeport-test-'));
const sum = { passed: 0, failed: 0 };
for (const { name, args } of ROUNDS) {
  const file = join(results, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  steps.push([`tests (${name})`, await run(process.execPath, [VITEST, 'run', ...args, ...reporters])]);
  count(file);
}
rmSync(results, { recursive: true });

const broken = steps.filter(([, code]) => code !== 0).map(([step]) => step);
if (broken.length > 0) console.log(`not right: ${broken.join(', ')}`);
console.log(`tests: ${sum.passed} passed, ${sum.failed} failed`);
process.exit(broken.length > 0 || sum.failed > 0 || sum.passed === 0 ? 1 : 0);

/** A file that could not be run counts as a failed test, and so does a test that was skipped. */
function count(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    sum.failed++;
    return;
  }
  sum.passed += report.numPassedTests;
  sum.failed += report.numTotalTests - report.numPassedTests;
  sum.failed += report.testResults.filter(
    (spec) => spec.status === 'failed' && spec.assertionResults.length === 0,
  ).length;
}

function run(command, args) {
  console.log(`\n$ ${[command === process.execPath ? 'node' : command, ...args].join(' ').replaceAll(`${ROOT}/`, '')}`);
  const env = { ...process.env, CHROMIUM_PATH: findChromium() };
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env });
  return new Promise((done) => {
    child.on('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      done(1);
    });
    child.on('close', (code) => done(code ?? 1));
  });
}

/** The one system package that the tests need. Ubuntu has Chromium as a snap only, so there it is Playwright's own. */
function provideChromium() {
  if (findChromium()) return;
  const { id, like } = distribution();
  const playwright = [
    process.execPath,
    join(ROOT, 'node_modules/playwright-core/cli.js'),
    'install',
    '--with-deps',
    'chromium',
  ];
  const commands =
    id === 'debian'
      ? [
          ['apt-get', 'update'],
          ['apt-get', 'install', '--yes', '--no-install-recommends', 'chromium'],
        ]
      : [playwright];
  if (process.getuid?.() !== 0 || !(id === 'debian' || id === 'ubuntu' || like.includes('ubuntu'))) {
    console.error('The browser tests need Chromium. Install it, or set CHROMIUM_PATH, and run npm test again:');
    console.error(
      id === 'debian' ? '  sudo apt-get install chromium' : '  npx playwright-core install --with-deps chromium',
    );
    process.exit(1);
  }
  for (const [command, ...args] of commands) {
    console.log(`The browser tests need Chromium: ${[command, ...args].join(' ')}`);
    const { status } = spawnSync(command, args, {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0) {
      console.error(`${command} failed. Install Chromium by hand, or set CHROMIUM_PATH, and run npm test again.`);
      process.exit(1);
    }
  }
  if (!findChromium()) {
    console.error('Chromium was installed and is not on the PATH. Set CHROMIUM_PATH, and run npm test again.');
    process.exit(1);
  }
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
