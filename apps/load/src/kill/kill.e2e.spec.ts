import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { killServer } from './kill.js';

const tell = (line: string): void => void process.stdout.write(`${line}\n`);

describe('a server that is killed while twenty sessions write', () => {
  it('W1, W2, W4, W5, W7, R2, R3, R4, D3: loses nothing that it acknowledged, and does nothing twice, ten times over', async () => {
    const result = await killServer({ rounds: 10, clients: 20, documents: 4, seed: 20_260_101, tell });
    expect(result.failure).toBeUndefined();
    expect(result.verdict.violations).toEqual([]);
    expect(result.rounds).toHaveLength(10);
    expect(result.rounds.filter((round) => round.postgresToo)).toHaveLength(5);
    expect(result.verdict.counts.pushesUnknown).toBeGreaterThan(0);
  }, 300_000);

  it('W8: a server that acknowledges before it commits is found out', async () => {
    const preload = new URL('../../../../dist/apps/load/src/planted/ack-before-commit.js', import.meta.url).href;
    const settings = { rounds: 2, clients: 20, documents: 4, seed: 7, patienceMs: 10_000, preload, tell };
    const { ok, verdict, evidence } = await killServer(settings);
    await rm(evidence!, { recursive: true });
    expect(ok).toBe(false);
    expect(verdict.violations.some(({ rule, says }) => rule === 1 && says.endsWith('is lost'))).toBe(true);
  }, 300_000);
});
