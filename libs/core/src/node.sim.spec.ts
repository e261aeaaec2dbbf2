/**
 * A whole node on a memory database, with clients that never give up, through crashes, pauses, rivals and a database
 * that fails in every way. Each seed is a run; a failing one prints its seed and what happened to it.
 *
 *   SEED=17      plays one run again          SEEDS=20000      plays so many
 */
import { simulate, type SimSummary } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';

const ONLY = process.env['SEED'];
const SEEDS = ONLY === undefined ? Number(process.env['SEEDS'] ?? 1_000) : 1;
const FIRST = Number(ONLY ?? 1);
const CHUNK = 100;

describe('A node in a storm', () => {
  for (let from = FIRST; from < FIRST + SEEDS; from += CHUNK) {
    const end = Math.min(from + CHUNK, FIRST + SEEDS);
    it(`W1 W2 W3 W4 W5 W6 W7 W8 W9 W10 R1 R2 R3 R4 R5 D1 D2 D3 O4 X1 X4 X7 E6: hold for the seeds ${from} to ${end - 1}`, async () => {
      for (let seed = from; seed < end; seed++) await simulate(seed);
    }, 120_000);
  }

  it('a seed gives the same run each time', async () => {
    expect(await simulate(FIRST)).toEqual(await simulate(FIRST));
  });

  it('every fault happens, and often: a storm in which it does not proves nothing', async () => {
    const seen: SimSummary[] = [];
    for (let seed = 1; seed <= CHUNK; seed++) seen.push(await simulate(seed));
    const average = (what: keyof SimSummary): number =>
      seen.reduce((sum, summary) => sum + summary[what], 0) / seen.length;
    expect(average('acks')).toBeGreaterThan(50);
    expect(average('crashes')).toBeGreaterThan(0.2);
    expect(average('takeovers')).toBeGreaterThan(1);
    expect(average('lostNodes')).toBeGreaterThan(0.2);
    expect(average('unknownFlushes')).toBeGreaterThan(0.5);
    expect(average('checkpoints')).toBeGreaterThan(2);
    expect(average('failedCheckpoints')).toBeGreaterThan(0.05);
    expect(average('reloads')).toBeGreaterThan(2);
    expect(average('holes')).toBeGreaterThan(0.2);
    expect(average('poisoned')).toBeGreaterThan(1);
  }, 120_000);
});
