/**
 * A whole cluster on a memory database and a bus that loses, doubles, delays and refuses, with clients that go to the
 * owner, clients that are relayed, and some who push without a number, through crashes, hangs, drains, joins, partitions,
 * lost leases, and a database that fails in every way. In some runs the documents are larger than any message.
 *
 *   SEED=17      plays one run again          SEEDS=5000      plays so many
 */
import { CLUSTER_FAULTS, simulateCluster, type ClusterSummary } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { BUS_MESSAGE_BYTES_MAX } from './cluster/bus.js';

const ONLY = process.env['SEED'];
const SEEDS = ONLY === undefined ? Number(process.env['SEEDS'] ?? 300) : 1;
const FIRST = Number(ONLY ?? 1);
const CHUNK = 50;
const CALM_SEEDS = 20;

describe('A cluster in a storm', () => {
  for (let from = FIRST; from < FIRST + SEEDS; from += CHUNK) {
    const end = Math.min(from + CHUNK, FIRST + SEEDS);
    it(`O1 O5 O6 W1 W3 W5 W7 W9 W10 R1 R2 R3 D1 D2 D3 E2 E5 E6 B1: hold for the seeds ${from} to ${end - 1}`, async () => {
      for (let seed = from; seed < end; seed++) await simulateCluster(seed);
    }, 240_000);
  }

  it('B5 D1: while nothing breaks nobody misses a frame, however often a relayed session comes and goes', async () => {
    let sessions = 0;
    for (let seed = FIRST; seed < FIRST + CALM_SEEDS; seed++) {
      const { holes, relayed } = await simulateCluster(seed, {}, 'calm');
      expect([seed, holes]).toEqual([seed, 0]);
      sessions += relayed;
    }
    expect(sessions).toBeGreaterThan(CALM_SEEDS);
  }, 240_000);

  it('a seed gives the same run each time', async () => {
    expect(await simulateCluster(FIRST)).toEqual(await simulateCluster(FIRST));
  });

  it('every fault happens, and often: a storm in which it does not proves nothing', async () => {
    const seen: ClusterSummary[] = [];
    for (let seed = 1; seed <= CHUNK; seed++) seen.push(await simulateCluster(seed));
    const average = (what: Exclude<keyof ClusterSummary, 'faults'>): number =>
      seen.reduce((sum, summary) => sum + summary[what], 0) / seen.length;
    expect(average('acks')).toBeGreaterThan(30);
    expect(average('crashes')).toBeGreaterThan(0.2);
    expect(average('lostNodes')).toBeGreaterThan(0.1);
    expect(average('takeovers')).toBeGreaterThan(1);
    expect(average('handoffs')).toBeGreaterThan(1);
    expect(average('relayed')).toBeGreaterThan(1);
    expect(average('holes')).toBeGreaterThan(0.2);
    expect(average('keyless')).toBeGreaterThan(5);
    expect(Math.max(...seen.map(({ bytesMax }) => bytesMax))).toBeGreaterThan(BUS_MESSAGE_BYTES_MAX);
    expect(new Set(seen.flatMap(({ faults }) => faults))).toEqual(new Set(CLUSTER_FAULTS));
  }, 240_000);
});
