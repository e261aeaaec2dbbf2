import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runChaos, type ChaosResult } from './chaos-run.js';
import { FAULTS } from './faults/all.js';
import { report } from './report.js';

const tell = (line: string): void => void process.stdout.write(`${line}\n`);

interface Settings {
  readonly nodes: number;
  readonly seed: number;
  /** Every fault that makes sense with so many nodes, if none are named. */
  readonly faults?: readonly string[];
  readonly plant?: string;
  readonly patienceMs?: number;
  /** The faults are repeated for so long; each comes once, if left out. */
  readonly lengthMs?: number;
}

async function chaos({ nodes, faults, plant, ...rest }: Settings): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'homeport-chaos-'));
  const preload = plant === undefined ? [] : [pathToFileURL(resolve(`dist/apps/load/src/planted/${plant}.js`)).href];
  const chosen = FAULTS.filter(({ name, nodesMin }) => faults?.includes(name) ?? nodesMin <= nodes);
  const result = await runChaos({ nodes, faults: chosen, lengthMs: 0, folder, preload, tell, ...rest });
  tell(report(result));
  if (result.ok || plant !== undefined) await rm(folder, { recursive: true });
  return result;
}

function rulesBroken({ verdict }: ChaosResult): number[] {
  return [...new Set(verdict.violations.map(({ rule }) => rule))];
}

describe('one node under load, and everything that can go wrong with it', () => {
  it('W1, W2, W4, W5, W7, R1, R2, R3, R4, R5, D1, D2, D3, E6: keeps every promise through all faults', async () => {
    const result = await chaos({ nodes: 1, seed: 20_260_201 });
    expect(result.failures).toEqual([]);
    expect(result.verdict.violations).toEqual([]);
    expect(result.rounds.map(({ fault }) => fault).sort()).toEqual(
      FAULTS.filter(({ nodesMin }) => nodesMin === 1)
        .map(({ name }) => name)
        .sort(),
    );
    expect(result.verdict.counts.pushesUnknown).toBeGreaterThan(0);
    expect(result.httpReads.answered).toBeGreaterThan(0);
  }, 400_000);

  it('E6: a server that acknowledges before it commits is found out', async () => {
    const settings = { nodes: 1, seed: 7, faults: ['postgres-hang'], plant: 'ack-before-commit' };
    const result = await chaos({ ...settings, patienceMs: 10_000 });
    expect(result.failures.some((failure) => failure.startsWith('E6'))).toBe(true);
  }, 200_000);

  it('R5: a frame that leaves before the commit is found out', async () => {
    const settings = { nodes: 1, seed: 7, faults: ['postgres-short'], plant: 'frame-before-commit' };
    expect(rulesBroken(await chaos({ ...settings, patienceMs: 15_000 }))).toContain(4);
  }, 200_000);

  it('D2: a last frame that is lost, with nobody to tell, is found out', async () => {
    const settings = { nodes: 1, seed: 7, faults: ['none'], plant: 'lost-frames' };
    const result = await chaos({ ...settings, patienceMs: 10_000 });
    expect(result.failures.some((failure) => failure.includes('copies to reach the head'))).toBe(true);
    expect(rulesBroken(result)).toContain(6);
  }, 200_000);
});

describe('three nodes under load, and everything that can go wrong with them', () => {
  it('W1, W2, W3, W4, W5, W7, O1, R1, R2, R3, R4, R5, D1, D2, D3, E6: keep every promise through all faults', async () => {
    const result = await chaos({ nodes: 3, seed: 20_260_203 });
    expect(result.failures).toEqual([]);
    expect(result.verdict.violations).toEqual([]);
    expect(result.rounds.map(({ fault }) => fault).sort()).toEqual(FAULTS.map(({ name }) => name).sort());
    expect(result.verdict.counts.pushesUnknown).toBeGreaterThan(0);
    expect(new Set(result.evidence.spans.map(({ epoch }) => epoch)).size).toBeGreaterThan(2);
  }, 600_000);

  it('O1: a node that serves without a lease is found out when it is cut off', async () => {
    const result = await chaos({ nodes: 3, seed: 5, faults: ['cut-postgres'], plant: 'no-lease' });
    expect(rulesBroken(result)).toEqual(expect.arrayContaining([4, 8]));
  }, 200_000);

  it('E5: sessions at the owner that are served by way of Redis are found out when it hangs', async () => {
    const result = await chaos({ nodes: 3, seed: 5, faults: ['redis-hang'], plant: 'plain-emit' });
    expect(result.failures).toContain('E5: sessions at the owner were shown nothing while Redis did nothing');
  }, 200_000);

  it('W7: a document that is loaded as it was before the takeover is found out', async () => {
    // Several, for what is stale must have been written between a look and a death.
    const settings = { nodes: 3, seed: 5, faults: ['kill'], plant: 'stale-load', lengthMs: 45_000 };
    const result = await chaos({ ...settings, patienceMs: 20_000 });
    expect(rulesBroken(result)).toEqual(expect.arrayContaining([4, 5]));
    // Nothing acknowledged is lost. What was stored and never acknowledged is judged anew by who has not seen it.
    const ofRule1 = result.verdict.violations.filter(({ rule }) => rule === 1);
    for (const { says } of ofRule1) expect(says).toMatch(/ was refused \(\w+\) and is in the log at \d+$/);
  }, 200_000);
});
