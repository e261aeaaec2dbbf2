import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CompareResult } from './compare-result.js';
import { help } from './options.js';

const MAIN = resolve('dist/apps/load/src/main.js');
const SYSTEMS = ['echo', 'stateless', 'homeport', 'pinned', 'relayed'];

describe('a comparison', () => {
  /** Everything that the run leaves in the temporary folder is found here. */
  let temporary: string;
  let out: string;

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'hp-'));
    out = await mkdtemp(join(tmpdir(), 'hp-out-'));
  });
  afterEach(async () => {
    for (const folder of [temporary, out]) await rm(folder, { recursive: true, force: true });
  });

  /** `seen` gets everything that it has written so far, whenever it writes. */
  async function compare(args: readonly string[], seen?: (stdout: string, interrupt: () => void) => void) {
    const child = spawn(process.execPath, [MAIN, 'load', 'compare', ...args], {
      env: { ...process.env, TMPDIR: temporary },
      // A group of its own, as that of a terminal, to which a Ctrl-C goes as a whole.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      seen?.(stdout, () => process.kill(-child.pid!, 'SIGINT'));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  async function result(): Promise<CompareResult> {
    return JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as CompareResult;
  }

  it('lets all systems take turns, says what they are to each other, and leaves nothing running', async () => {
    const { code, stdout, stderr } = await compare(['--quick', '--only', 'acks', '--out', out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { format, options, systems, works, verdict, cutShort } = await result();
    expect(format).toBe('homeport-compare/1');
    // What the page shows as options can be given again.
    for (const name of Object.keys(options)) expect(help()).toContain(`--${name} `);
    expect(systems.map(({ name }) => name)).toEqual(SYSTEMS);
    expect(works.map(({ name }) => name)).toEqual(['acks']);
    const { values, ratios } = works[0]!;
    expect(Object.entries(values).map(([name, { length }]) => [name, length])).toEqual(
      SYSTEMS.map((name) => [name, 1]),
    );
    const homeport = values['homeport']![0]!;
    expect(ratios[0]).toMatchObject({ of: 'homeport', over: 'echo', median: homeport / values['echo']![0]! });
    expect(ratios[1]).toMatchObject({ of: 'homeport', over: 'stateless', target: { says: '≥ 5 ×' } });
    expect(verdict).toMatchObject({ ok: true, violations: [] });
    expect(cutShort).toBeUndefined();
    expect(stdout).toMatch(/^ {2}homeport \/ echo .* target ≥ 0\.8 ×: (reached|MISSED)$/m);
    expect(await readFile(join(out, 'index.html'), 'utf8')).toContain('homeport');
    expect(await readdir(temporary)).toEqual([]);
  }, 180_000);

  it('plays at the rate that was asked for, and measures what size costs a push of Homeport alone', async () => {
    const args = ['--only', 'latency,hot-board,large-document', '--systems', 'echo,homeport,pinned,relayed'];
    const { code, stderr } = await compare(['--quick', ...args, '--rate', '500', '--out', out]);
    const { works, options, verdict, warnings } = await result();
    expect({ code, stderr }, warnings.join('\n')).toEqual({ code: 0, stderr: '' });
    expect(options['rate']).toBe(500);
    expect(verdict).toMatchObject({ ok: true, violations: [] });
    const names = works.map(({ name }) => name);
    expect(names.filter((name) => /^(ack latency|hot board)/.test(name))).toHaveLength(5);
    const ofSize = works.filter(({ name }) => /^(ack among|large document)/.test(name));
    const homeports = ['homeport', 'pinned', 'relayed'];
    expect(ofSize.map(({ name, values }) => [name, Object.keys(values)])).toEqual([
      ['ack among 10 records, p50', homeports],
      ['ack among 10,000 records, p50', homeports],
      // Made of CPU, which only Linux tells.
      ...(process.platform === 'linux' ? [['large document over small', homeports]] : []),
    ]);
    for (const { values } of works) for (const [value] of Object.values(values)) expect(value).toBeGreaterThan(0);
    if (process.platform === 'linux') {
      const target = { says: 'itself ≤ 1.2 ×' };
      expect(ofSize.at(-1)?.ratios[0]).toMatchObject({ of: 'homeport', over: 'pinned', target });
    }
  }, 180_000);

  it('ends with what was measured when it is interrupted, and leaves nothing running', async () => {
    const args = ['--quick', '--rounds', '1000', '--only', 'acks', '--systems', 'echo,homeport', '--out', out];
    let interrupted = false;
    const { code, stdout } = await compare(args, (stdout, interrupt) => {
      if (interrupted || !stdout.includes('acks, round 1, homeport')) return;
      interrupted = true;
      interrupt();
    });
    expect(code).toBe(1);
    const { works, verdict, cutShort } = await result();
    expect(cutShort).toMatch(/^interrupted in acks, round \d+, (echo|homeport)$/);
    expect(Object.keys(works[0]!.values)).toEqual(['echo', 'homeport']);
    expect(verdict.ok).toBe(true);
    expect(stdout).toContain(`${cutShort}: this is what ran`);
    expect(await readdir(temporary)).toEqual([]);
  }, 180_000);

  it('refuses an option that it does not know in one line', async () => {
    const { code, stdout, stderr } = await compare(['--fast']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^.*'--fast'.*\n$/);
  });
});
