/**
 * Nodes that take one another's slots over, on clocks that run up to 1 % fast or slow, with pauses, crashes and a
 * database that fails: at every instant at most one of them may answer from memory.
 */
import {
  EagerLeases,
  FakeClock,
  FaultPlan,
  MemoryDatabase,
  MemoryLeaseTable,
  MemoryLink,
  RecordingProbe,
  SeededRandom,
  SimProcess,
  loneKeeper,
  nodeNamed,
} from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import type { Slot } from '../document/slot.js';
import type { LeaseTable } from './lease-table.js';
import type { SlotKeeper } from './slot-keeper.js';

const SLOT = 77 as Slot;
const SEEDS = Number(process.env['SEEDS'] ?? 300);
const SETTINGS = { ttlMs: 1_000, marginMs: 50, renewalMs: 250 };
const RUN_MS = 12_000;
const STEP_MS = 7;

describe('Leases in a storm', () => {
  it('O1 O2 O3 W10: at most one node may serve at any instant, and each epoch has one owner', async () => {
    let handovers = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { overlap, owners } = await play(seed, (leases) => leases);
      expect(overlap, `seed ${seed}`).toBeUndefined();
      handovers += owners - 1;
    }
    expect(handovers).toBeGreaterThan(SEEDS);
  }, 120_000);

  it('O2: a lease counted from the reply is noticed', async () => {
    for (let seed = 1; seed <= 300; seed++)
      if ((await play(seed, (leases, database) => new EagerLeases(leases, database))).overlap !== undefined) return;
    expect.fail('300 seeds, and nothing was noticed');
  }, 120_000);
});

interface Keeping {
  readonly name: string;
  readonly process: SimProcess;
  readonly keeper: SlotKeeper;
  readonly faults: FaultPlan;
}

async function play(seed: number, planted: (leases: LeaseTable, database: MemoryDatabase) => LeaseTable) {
  const world = new FakeClock();
  const random = new SeededRandom(seed);
  const database = new MemoryDatabase(world, random);
  const living = new Set<Keeping>();
  const ownerOf = new Map<number, string>();
  let overlap: string | undefined;
  let started = 0;

  const start = (): void => {
    const process = new SimProcess(world, random, random.between(0.99, 1.01));
    const faults = new FaultPlan();
    const link = new MemoryLink(database, faults, { deadlineMs: 700 }, (event) => process.receive(event));
    const leases = process.around(planted(new MemoryLeaseTable(link), database));
    const name = `n${++started}`;
    const parts = { me: nodeNamed(name), leases, clock: process, probe: new RecordingProbe(), settings: SETTINGS };
    const { keeper, claim } = loneKeeper(parts);
    const keeping = { name, process, keeper, faults };
    living.add(keeping);
    const end = (): void => {
      link.cut();
      process.kill();
      living.delete(keeping);
    };
    process.onDeath(end);
    void keeper.lost.then(end);
    claim(random.chance(0.2) ? 'forced' : 'careful').catch(end);
  };

  const look = (): void => {
    const { owner, epoch } = database.slots[SLOT]!;
    if (owner !== undefined && (ownerOf.get(epoch) ?? owner) !== owner) overlap ??= `epoch ${epoch} has two owners`;
    if (owner !== undefined) ownerOf.set(epoch, owner);
    const serving = [...living].filter(({ keeper }) => keeper.mayServe(SLOT)).map(({ name }) => name);
    if (serving.length > 1) overlap ??= `${serving.join(' and ')} at ${world.monotonicMs()} ms`;
  };

  const trouble = (): void => {
    const one = random.pick([...living, undefined]);
    const spanMs = random.between(50, 2_500);
    switch (random.int(6)) {
      case 0:
      case 1:
        one?.process.pause();
        return void world.after(spanMs, () => one?.process.resume());
      case 2:
        return one?.process.kill();
      case 3:
        if (one !== undefined) one.faults.rates = { error: 0.2, requestLost: 0.3, answerLost: 0.3 };
        return void world.after(spanMs, () => one && (one.faults.rates = {}));
      case 4:
        if (random.chance(0.5)) database.freeze();
        else database.stop();
        return void world.after(spanMs, () => database.start());
      default:
        if (living.size < 3) start();
    }
  };

  while (world.monotonicMs() < RUN_MS && overlap === undefined) {
    if (living.size === 0) start();
    if (random.chance(0.02)) trouble();
    await world.advance(STEP_MS);
    look();
  }
  return { overlap, owners: new Set(ownerOf.values()).size };
}
