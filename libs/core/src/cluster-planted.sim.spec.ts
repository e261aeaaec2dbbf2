/** Known bugs of a cluster, planted: each must turn the simulation red, else it would not notice others. */
import {
  LeasesThrough,
  MemoryLeaseTable,
  SimChannel,
  simulateCluster,
  SimFailure,
  SimPeers,
  TornLoad,
  type Planted,
} from '@homeport/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LeaseTable } from './cluster/lease-table.js';
import { Relay } from './cluster/relay.js';
import { DocumentHost } from './document/document-host.js';

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

  it('W5: a push without a number is asked for again by the relay', async () => {
    const ask = Relay.prototype.ask;
    vi.spyOn(Relay.prototype, 'ask').mockImplementation(async function (this: Relay, question, isWanted) {
      const answer = await ask.call(this, question, isWanted);
      const isLost = question.is === 'push' && answer !== 'here' && !answer.ok && answer.code === 'unavailable';
      return (isLost ? ask.call(this, question, isWanted) : answer) as never;
    });
    await expectRed(/W5 at/);
  }, 240_000);

  it('R4: a load that is not of one moment', async () => {
    await expectRed(/R4 D3 at|X7 at|W4 at|W5 at/, {
      log: (log, database) => new TornLoad(log, database),
    });
  }, 240_000);

  it('E6: a free lock is taken for a proof of death', async () => {
    vi.spyOn(SimPeers.prototype, 'refuses').mockResolvedValue(true);
    await expectRed(/E6: .* was declared dead|O1: /);
  }, 240_000);

  it('E6: an address that refuses is taken for a proof of death', async () => {
    vi.spyOn(MemoryLeaseTable.prototype, 'isLockFree').mockResolvedValue(true);
    await expectRed(/E6: .* was declared dead|O1: /);
  }, 240_000);

  it('B5: an open that does not wait until the room is heard', async () => {
    const join = SimChannel.prototype.joinRelayed;
    vi.spyOn(SimChannel.prototype, 'joinRelayed').mockImplementation(async function (this: SimChannel, document) {
      void join.call(this, document);
    });
    const { holes } = await simulateCluster(1, {}, 'calm');
    expect(holes).toBeGreaterThan(0);
  });

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
