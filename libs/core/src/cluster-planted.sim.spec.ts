/** Known bugs of a cluster, planted: each must turn the simulation red, else it would not notice others. */
import { LeasesThrough, simulateCluster, SimFailure, type Planted } from '@homeport/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Relay } from './cluster/relay.js';
import { DocumentHost } from './document/document-host.js';
import type { LeaseTable } from './cluster/lease-table.js';

const SEEDS_MAX = 400;

/** Every other transfer gets no answer, and is taken to have failed. */
class Hopeful extends LeasesThrough {
  override async handOff(...ask: Parameters<LeaseTable['handOff']>) {
    const moved = await this.leases.handOff(...ask).catch(() => []);
    return this.database.random.chance(0.5) ? moved : [];
  }
}

describe('A cluster with a planted bug', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('O1: unfrozen after a handoff whose answer did not come', async () => {
    await expectRed(/O1: |R1 at|X at/, { leases: (leases, database) => new Hopeful(leases, database) });
  }, 240_000);

  it('D2: the interest of relays forgotten when a slot is taken', async () => {
    vi.spyOn(DocumentHost.prototype, 'gained').mockImplementation(() => {});
    vi.spyOn(Relay.prototype, 'tick').mockResolvedValue();
    await expectRed(/D2: everyone at the head|the end of every push/);
  }, 240_000);

  it('D2: no beacon for relayed sessions', async () => {
    vi.spyOn(Relay.prototype, 'tick').mockResolvedValue();
    await expectRed(/D2: everyone at the head/);
  }, 240_000);
});

async function expectRed(rules: RegExp, planted: Planted = {}): Promise<void> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    try {
      await simulateCluster(seed, planted);
    } catch (error) {
      if (!(error instanceof SimFailure)) throw error;
      expect(error.message).toMatch(rules);
      return;
    }
  }
  expect.fail(`${SEEDS_MAX} seeds, and nothing was noticed`);
}
