/**
 * `npm test`: everything that shows that this checkout works.
 *
 * Provides the system packages that are missing, builds what is stale, runs `npm run check`, then the tests: first those that share the machine
 * well, then, one after the other, those that start servers and browsers of their own. The last line is the sum.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findChromium } from './chromium.mjs';
import { provideSystemPackages } from './system-packages.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

/** Servers and browsers need the machine for themselves; the other files run side by side. */
const ROUNDS = [
  { name: 'alone', args: ['--exclude', '**/*.e2e.spec.ts', '--exclude', '**/*.browser.spec.ts'] },
  { name: 'end-to-end', args: ['.e2e.spec.ts', '.browser.spec.ts', '--no-file-parallelism'] },
];

provideSystemPackages();
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
