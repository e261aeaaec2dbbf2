import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServerProcess, until } from '@homeport/testkit';
import { boards } from '../scenarios/boards.js';
import { helpOf } from './options.js';
import type { RunResult } from './run-result.js';

const MAIN = 'dist/apps/load/src/main.js';
const SECRET = 'a secret that is long enough for a test';
const WITHIN_MS = 90_000;
const SMALL = ['--boards', '4', '--people', '2', '--warm-up', '1'];

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeport-load-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

class LoadRun {
  readonly #child;
  #text = '';
  readonly exited: Promise<number | null>;

  constructor(...args: string[]) {
    // A group of its own, as a terminal makes one, so that Ctrl-C can be pressed.
    this.#child = spawn(process.execPath, [MAIN, 'load', ...args, '--out', folder], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#text += text));
    this.exited = new Promise((ended) => this.#child.on('close', (code) => ended(code)));
  }

  get lines(): string[] {
    return this.#text.trim().split('\n');
  }

  /** Until people have worked for a while, and some of it is written down. */
  atWork(): Promise<void> {
    return until(WITHIN_MS, 'some history', async () => {
      if (this.#child.exitCode !== null) throw new Error(this.#text);
      const history = await readFile(join(folder, 'history', 'generator-1.jsonl'), 'utf8').catch(() => '');
      return history.includes('"outcome":"ok"');
    });
  }

  pressCtrlC(): void {
    process.kill(-this.#child.pid!, 'SIGINT');
  }
}

async function resultOf(): Promise<RunResult> {
  return JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')) as RunResult;
}

describe('a load run on a cluster of its own', () => {
  it('measures people at work, and finds that every promise was kept', async () => {
    const run = new LoadRun('boards', ...SMALL, '--seconds', '3', '--seed', '11', '--generators', '2');
    expect(await run.exited, run.lines.join('\n')).toBe(0);
    const { verdict, operations, series, processes, figures, seed, options, durationMs } = await resultOf();
    expect(verdict).toMatchObject({ ok: true, violations: [] });
    expect({ seed, boards: options['boards'] }).toEqual({ seed: 11, boards: 4 });
    for (const kind of ['push', 'deliver', 'cursor'])
      expect(operations.find((one) => one.kind === kind)?.ok, kind).toBeGreaterThan(0);
    expect(operations.find(({ kind }) => kind === 'push')).toMatchObject({ refused: 0, unknown: 0 });
    expect(series.length).toBeGreaterThanOrEqual(3);
    expect(series.every(({ atMs }) => atMs + 1_000 <= durationMs)).toBe(true);
    // What the page shows as options can be given again.
    const help = helpOf(boards);
    for (const name of Object.keys(options)) expect(help).toContain(`--${name} <`);
    expect(processes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['generator-1', 'generator-2', 'node-1', 'postgres']),
    );
    // The second that had begun when the run was over says nothing of how busy a generator was in it.
    const [generator] = processes.filter(({ name }) => name === 'generator-1');
    expect(generator!.points.at(-1)!.atMs).toBeLessThan(durationMs + 500);
    expect(figures.map(({ name }) => name)).toContain('push p99');
    expect((await readdir(join(folder, 'history'))).sort()).toEqual([
      'conductor.jsonl',
      'generator-1.jsonl',
      'generator-2.jsonl',
    ]);
    expect(await readFile(join(folder, 'index.html'), 'utf8')).toContain('<!doctype html>');
    expect(await readdir(folder)).not.toContain('log.jsonl');
  }, 120_000);

  it('O1, W1: kills an owner, says how long nobody could write, and finds that nothing was lost', async () => {
    const run = new LoadRun('failover', ...SMALL, '--seconds', '1', '--nodes', '2');
    expect(await run.exited, run.lines.join('\n')).toBe(0);
    const { verdict, faults, ownership, figures } = await resultOf();
    expect(verdict.ok).toBe(true);
    expect(faults).toMatchObject([{ name: 'kill', says: expect.stringMatching(/^killed node-[12]$/) as string }]);
    expect(new Set(ownership.flatMap(({ slots }) => Object.keys(slots))).size).toBeGreaterThanOrEqual(2);
    expect(figures.find(({ name }) => name === 'longest wait for an ack, hit documents p99')?.value).toBeGreaterThan(0);
    expect(verdict.says.some((line) => /^ownership: \d+ words/.test(line))).toBe(true);
  }, 180_000);

  it('says how long it takes to open a large document that is in nobody’s memory', async () => {
    const large = ['--large', '1', '--records', '1000', '--restarts', '1'];
    const run = new LoadRun(
      'cold',
      ...large,
      '--documents',
      '50',
      '--visits',
      '20',
      '--warm-up',
      '1',
      '--seconds',
      '3',
    );
    expect(await run.exited, run.lines.join('\n')).toBe(0);
    const { verdict, faults, figures } = await resultOf();
    expect(verdict.ok).toBe(true);
    expect(faults).toMatchObject([{ name: 'restart' }]);
    const [firstPage] = figures;
    expect(firstPage).toMatchObject({ name: 'large open: first page p50' });
    expect(firstPage!.value).toBeGreaterThan(0);
  }, 120_000);

  it('says what an idle session costs', async () => {
    const few = ['--sessions', '200', '--writers', '2', '--settle', '2', '--warm-up', '1', '--seconds', '1'];
    const run = new LoadRun('idle', ...few);
    expect(await run.exited, run.lines.join('\n')).toBe(0);
    const { verdict, figures } = await resultOf();
    expect(verdict.ok).toBe(true);
    expect(figures.map(({ name }) => name)).toContain('server memory per idle session');
  }, 120_000);

  it('ends with the report of what ran so far when Ctrl-C is pressed', async () => {
    const run = new LoadRun('boards', ...SMALL, '--seconds', '600');
    await run.atWork();
    run.pressCtrlC();
    expect(await run.exited, run.lines.join('\n')).toBe(130);
    const { cutShort, verdict, operations } = await resultOf();
    expect(cutShort).toBe('it was interrupted');
    expect(verdict.violations).toEqual([]);
    expect(operations.find(({ kind }) => kind === 'push')?.ok).toBeGreaterThan(0);
  }, 120_000);
});

describe('a load run that ends before anybody has come', () => {
  it('says that nothing was checked, and calls that no violation', async () => {
    const run = new LoadRun('boards', ...SMALL, '--seconds', '600');
    await until(WITHIN_MS, 'a node to be started', () => run.lines.some((line) => line.startsWith('starting')));
    run.pressCtrlC();
    expect(await run.exited, run.lines.join('\n')).toBe(130);
    const { cutShort, verdict } = await resultOf();
    expect(cutShort).toBe('it was interrupted');
    expect(verdict).toMatchObject({ ok: false, violations: [] });
    expect(verdict.says[0]).toContain('nothing was checked');
  }, 120_000);
});

describe('a load run that can not be', () => {
  it('says in one line what is wrong', async () => {
    const dashed = new LoadRun('boards', '--seconds', '-5');
    expect(await dashed.exited).toBe(2);
    expect(dashed.lines).toEqual([expect.stringMatching(/'--seconds'/)]);
    await writeFile(join(folder, 'history.jsonl'), 'of another run');
    const second = new LoadRun('boards', ...SMALL);
    expect(await second.exited).toBe(2);
    expect(second.lines).toEqual([`--out ${folder} is not empty`]);
  }, 30_000);

  it('says so where it may open too few files to begin', async () => {
    const few = promisify(execFile)('sh', ['-c', `ulimit -n 64; exec "${process.execPath}" ${MAIN} load boards`]);
    await expect(few).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^[^\n]* the limit is 64: type `ulimit -n 200` first\n$/) as string,
    });
  }, 30_000);
});

describe('a load run on a system elsewhere', () => {
  it('comes in with its token, reads the log over HTTP, and says so in one line when the server dies for good', async () => {
    const server = await ServerProcess.start({ env: { LOG_LEVEL: 'warn', AUTH_SECRET: SECRET } });
    try {
      const elsewhere = ['boards', ...SMALL, '--url', server.url];
      const token = await tokenFor('load-*=write');
      const good = new LoadRun(...elsewhere, '--token', token, '--seconds', '2');
      expect(await good.exited, good.lines.join('\n')).toBe(0);
      const { verdict, system } = await resultOf();
      expect(system).toEqual({ kind: 'url', urls: [server.url] });
      expect(verdict.says.some((line) => line.startsWith('not checked, rules 2 and 8'))).toBe(true);
      expect(verdict.says.some((line) => /[1-9]\d* entries in 4 documents/.test(line))).toBe(true);

      await rm(folder, { recursive: true });
      const refused = new LoadRun(...elsewhere, '--token', 'nonsense');
      expect(await refused.exited).toBe(2);
      expect(refused.lines).toEqual([expect.stringMatching(/did not let us in/)]);
      const reader = new LoadRun(...elsewhere, '--token', await tokenFor('load-*=read'));
      expect(await reader.exited).toBe(2);
      expect(reader.lines).toEqual([expect.stringMatching(/does not let us write/)]);

      const doomed = new LoadRun(...elsewhere, '--token', token, '--seconds', '600', '--patience', '3');
      await doomed.atWork();
      await server.kill();
      expect(await doomed.exited, doomed.lines.join('\n')).toBe(1);
      expect((await resultOf()).cutShort).toMatch(/^nothing was answered for \d+ s: http\S+ is gone$/);
    } finally {
      await server.dispose();
    }
  }, 180_000);

  it('D2: ends with a failure when a promise is broken', async () => {
    const plant = pathToFileURL(resolve('dist/apps/load/src/planted/lost-frames.js')).href;
    const server = await ServerProcess.start({ env: { LOG_LEVEL: 'warn', NODE_OPTIONS: `--import ${plant}` } });
    try {
      // Every fifth frame is lost, so of so many boards some lose their last one.
      const many = ['--boards', '40', '--people', '1', '--warm-up', '1', '--seconds', '2', '--patience', '5'];
      const run = new LoadRun('boards', ...many, '--url', server.url);
      expect(await run.exited, run.lines.join('\n')).toBe(1);
      const { verdict } = await resultOf();
      expect(verdict.ok).toBe(false);
      expect(verdict.violations.map(({ rule }) => rule)).toContain(6);
      const [first] = (await readFile(join(folder, 'log.jsonl'), 'utf8')).split('\n');
      expect(JSON.parse(first!)).toMatchObject({ document: expect.stringMatching(/board-0$/) as string, seq: 1 });
    } finally {
      await server.dispose();
    }
  }, 120_000);
});

async function tokenFor(grant: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['scripts/token.mjs', '--user', 'ada', '--grant', grant],
    { env: { ...process.env, AUTH_SECRET: SECRET } },
  );
  return stdout.trim();
}
