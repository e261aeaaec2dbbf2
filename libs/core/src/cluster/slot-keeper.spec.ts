import {
  FakeClock,
  FaultPlan,
  MemoryDatabase,
  MemoryLeaseTable,
  MemoryLink,
  RecordingProbe,
  SeededRandom,
  loneKeeper,
  nodeNamed,
  watch,
} from '@homeport/testkit';
import type { Epoch } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { SLOTS, type Slot } from '../document/slot.js';
import type { LeaseTable, NodeInfo } from './lease-table.js';
import type { Claim } from './claim.js';
import { DEFAULT_LEASE_SETTINGS, type Estate } from './slot-keeper.js';

const SLOT = 5 as Slot;
const { ttlMs, marginMs, renewalMs } = DEFAULT_LEASE_SETTINGS;

describe('SlotKeeper', () => {
  let world: FakeClock;
  let database: MemoryDatabase;
  beforeEach(() => {
    world = new FakeClock();
    database = new MemoryDatabase(world, new SeededRandom(3));
  });

  it('takes every slot of an empty database, and serves', async () => {
    const a = await kept(nodeNamed('a'), 'careful');
    expect(database.slots.every(({ owner, epoch }) => owner === 'a.1' && epoch === 1)).toBe(true);
    expect([a.keeper.epochOf(0 as Slot), a.keeper.epochOf((SLOTS - 1) as Slot)]).toEqual([1, 1]);
    expect(a.keeper.mayServe(SLOT)).toBe(true);
  });

  it('O2: the lease counts from before the renewal was sent, however late its answer comes', async () => {
    const a = await kept(nodeNamed('a'), 'careful');
    let sentMs = world.monotonicMs();
    a.watchRenewals((ms) => (sentMs = ms));
    await world.advance(renewalMs + 10);
    a.delayAnswersMs = 2_000;
    const before = sentMs;
    await world.until('the next renewal', () => sentMs > before);
    const slowSentMs = sentMs;
    a.faults.rates = { requestLost: 1 };
    await world.advance(2_010);
    const untilMs = slowSentMs + ttlMs - marginMs;
    await world.advance(untilMs - world.monotonicMs() - 1);
    expect(a.keeper.mayServe(SLOT)).toBe(true);
    await world.advance(1);
    expect(a.keeper.mayServe(SLOT)).toBe(false);
  });

  it('serves again as soon as a renewal succeeds, at the same epochs', async () => {
    const a = await kept(nodeNamed('a'), 'careful');
    database.stop();
    await world.until('the end of the lease', () => !a.keeper.mayServe(SLOT));
    await world.advance(5_000);
    database.start();
    await world.until('the renewal', () => a.keeper.mayServe(SLOT));
    expect(a.keeper.epochOf(SLOT)).toBe(1);
  });

  it('O1: with its lease connection the lease is lost, and comes back only with a renewal on a new one', async () => {
    const a = await kept(nodeNamed('a'), 'careful');
    a.delayAnswersMs = 500;
    let isSent = false;
    a.watchRenewals(() => (isSent = true));
    await world.until('a renewal that is under way', () => isSent);
    // It was answered before the break, and is heard after it.
    await world.advance(100);
    a.link.breakLease();
    expect(a.keeper.mayServe(SLOT)).toBe(false);
    a.delayAnswersMs = 0;
    a.faults.failNext('renew', 'error');
    await world.advance(600);
    expect(a.keeper.mayServe(SLOT)).toBe(false);
    await world.until('the next renewal', () => a.keeper.mayServe(SLOT), renewalMs + 100);
    expect(database.advisoryLocks.has('a.1')).toBe(true);
  });

  it('O1: after the loss of its lease connection it renews at once', async () => {
    const a = await kept(nodeNamed('a'), 'careful');
    await world.advance(renewalMs + 100);
    a.link.breakLease();
    expect(a.keeper.mayServe(SLOT)).toBe(false);
    await world.until('the renewal', () => a.keeper.mayServe(SLOT), 50);
  });

  it.each([
    ['another timeline', () => (database.timeline = 'timeline-2')],
    ['a counter that went back', () => database.nodes.set('a.1', { ...database.nodes.get('a.1')!, renewals: 0 })],
  ])('E7: a node whose database has %s is lost', async (_, restore) => {
    const a = await kept(nodeNamed('a'), 'careful');
    await world.advance(5 * renewalMs);
    restore();
    expect(await world.outcome('the loss', a.keeper.lost, renewalMs + 100)).toContain('history was lost');
    expect(a.keeper.mayServe(SLOT)).toBe(false);
    expect(a.keeper.epochOf(SLOT)).toBeUndefined();
  });

  describe('claims', () => {
    it('careful: beside a living node it refuses, says why, and leaves no trace that the next start must wait for', async () => {
      await kept(nodeNamed('a'), 'careful');
      const b = node(nodeNamed('b'));
      await expect(world.outcome('the start', b.claim('careful'))).rejects.toThrow(
        /another Homeport node lives on this database: a at http:\/\/a\..*FORCE_TAKEOVER=true/,
      );
      expect(database.nodes.get('b.1')!.state).toBe('left');
      expect(database.slots.every(({ owner }) => owner === 'a.1')).toBe(true);
      const renewals = database.nodes.get('b.1')!.renewals;
      await world.advance(5_000);
      expect(database.nodes.get('b.1')!.renewals).toBe(renewals);
    });

    it('O3: careful: of a node whose counter stands still it waits a whole lease, then takes over', async () => {
      const a = await kept(nodeNamed('a'), 'careful');
      a.clock.stop();
      const stoppedMs = world.monotonicMs();
      const b = node(nodeNamed('b'));
      await world.outcome('the start', b.claim('careful'));
      expect(world.monotonicMs() - stoppedMs).toBeGreaterThan(ttlMs);
      expect(database.slots[SLOT]).toEqual({ owner: 'b.1', epoch: 2 });
      expect(database.nodes.get('a.1')!.state).toBe('dead');
    });

    it('careful: of its own predecessor, at the same address and with its lock free, it need not wait', async () => {
      const a = await kept(nodeNamed('a'), 'careful');
      a.crash();
      const again = node(nodeNamed('a', 2));
      const startedMs = world.monotonicMs();
      await world.outcome('the start', again.claim('careful'));
      expect(world.monotonicMs() - startedMs).toBeLessThan(500);
      expect(database.slots[SLOT]).toEqual({ owner: 'a.2', epoch: 2 });
    });

    it('alone: it asks nobody', async () => {
      const a = await kept(nodeNamed('a'), 'careful');
      a.clock.stop();
      const b = node(nodeNamed('b'));
      const startedMs = world.monotonicMs();
      await world.outcome('the start', b.claim('alone'));
      expect(world.monotonicMs() - startedMs).toBeLessThan(500);
    });

    it('O4: forced: the other is fenced at once, learns it, and serves nothing when the new one begins to', async () => {
      const a = await kept(nodeNamed('a'), 'careful');
      const lost = watch(a.keeper.lost);
      const b = node(nodeNamed('b'));
      const started = watch(b.claim('forced').then(() => true));
      while (started.answer === undefined) {
        await world.advance(5);
        expect(a.keeper.mayServe(SLOT) && b.keeper.mayServe(SLOT)).toBe(false);
      }
      expect(b.keeper.mayServe(SLOT)).toBe(true);
      expect(lost.answer).toContain('declared dead');
      expect(a.keeper.epochOf(SLOT)).toBeUndefined();
      expect(a.probe.alarms).toEqual(['this node has lost its place']);
      const { renewals } = database.nodes.get('a.1')!;
      await world.advance(10_000);
      expect(database.nodes.get('a.1')).toMatchObject({ state: 'dead', renewals });
    });

    it('O4: a start that is overtaken by another one never begins to keep', async () => {
      const a = node(nodeNamed('a'));
      const b = node(nodeNamed('b'));
      const starts = [a, b].map(({ claim }) =>
        watch(
          claim('forced').then(
            () => 'kept',
            () => 'refused',
          ),
        ),
      );
      await world.until('both ends', () => starts.every(({ answer }) => answer !== undefined));
      const served = [a, b].filter(({ keeper }) => keeper.mayServe(SLOT));
      expect(served.length).toBeLessThanOrEqual(1);
      expect(starts.filter(({ answer }) => answer === 'kept')).toHaveLength(served.length);
    });
  });

  describe('raise', () => {
    it('W6: raises what is ours, and knows the new epochs', async () => {
      const a = await kept(nodeNamed('a'), 'careful');
      const raised = await world.outcome('the raise', a.keeper.raise([{ slot: SLOT, epoch: 1 as Epoch }]));
      expect(raised).toEqual({ kept: [{ slot: SLOT, epoch: 2 }], lost: [] });
      expect(a.keeper.epochOf(SLOT)).toBe(2);
    });

    it('W6: after a raise whose answer was lost it raises again, from where the row stands', async () => {
      const a = await kept(nodeNamed('a'), 'careful');
      a.faults.failNext('raise', 'answerLost');
      const tenures = [{ slot: SLOT, epoch: 1 as Epoch }];
      await expect(world.outcome('the lost raise', a.keeper.raise(tenures))).rejects.toThrow();
      await world.advance(10);
      expect(a.keeper.epochOf(SLOT)).toBe(1);
      const raised = await world.outcome('the raise', a.keeper.raise(tenures));
      expect(raised).toEqual({ kept: [{ slot: SLOT, epoch: 3 }], lost: [] });
      expect(a.keeper.epochOf(SLOT)).toBe(3);
      const alive = watch(a.keeper.lost);
      await world.advance(5_000);
      expect(alive.answer).toBeUndefined();
    });

    it('O4: of a slot that is another’s it tells whose, and the node is lost', async () => {
      const a = await kept(nodeNamed('a'), 'careful');
      const b = new MemoryLeaseTable(new MemoryLink(database));
      await world.outcome('the join', b.join(nodeNamed('b')));
      const { renewals } = database.nodes.get('a.1')!;
      await world.outcome('the takeover', b.takeOver('b.1', { id: 'a.1', renewals }));
      const raised = await world.outcome('the raise', a.keeper.raise([{ slot: SLOT, epoch: 1 as Epoch }]));
      expect(raised.lost).toMatchObject([{ slot: SLOT, epoch: 2, owner: { id: 'b.1' } }]);
      expect(a.keeper.mayServe(SLOT)).toBe(false);
      expect(await world.outcome('the loss', a.keeper.lost)).toContain('declared dead');
    });

    it('O4: the late answer of a raise gives nothing back to a node that is lost', async () => {
      const a = await kept(nodeNamed('a'), 'careful');
      a.delayAnswersMs = 3_000;
      const raising = a.keeper.raise([{ slot: SLOT, epoch: 1 as Epoch }]);
      await world.advance(50);
      a.delayAnswersMs = 0;
      const row = database.nodes.get('a.1')!;
      database.nodes.set('a.1', { ...row, state: 'dead' });
      await world.outcome('the loss', a.keeper.lost);
      await world.outcome('the raise', raising);
      expect(a.keeper.epochOf(SLOT)).toBeUndefined();
    });
  });

  describe('adopt', () => {
    it('W7 R1: a slot that was away and came back is lost and gained: what memory holds of it is of before', async () => {
      const told: string[] = [];
      const a = node(nodeNamed('a'), {
        gained: (slots) => void told.push(`gained ${slots.length}`),
        lost: (slots) => void told.push(...slots.map(({ slot, epoch }) => `lost ${slot} at ${epoch}`)),
      });
      await world.outcome('the claim', a.claim('careful'));
      told.splice(0);
      a.keeper.adopt([{ slot: SLOT, epoch: 3 as Epoch }]);
      expect(told).toEqual([`lost ${SLOT} at 3`, 'gained 1']);
      expect(a.keeper.epochOf(SLOT)).toBe(3);
      a.keeper.learn([{ slot: SLOT, epoch: 5 as Epoch, owner: 'a.1' }]);
      expect(told.slice(2)).toEqual([`lost ${SLOT} at 5`, 'gained 1']);
    });

    it('one’s own raise is one step, and takes nothing away', async () => {
      const told: string[] = [];
      const tell = (): void => void told.push('told');
      const a = node(nodeNamed('a'), { gained: tell, lost: tell });
      await world.outcome('the claim', a.claim('careful'));
      told.splice(0);
      a.keeper.adopt([{ slot: SLOT, epoch: 2 as Epoch }]);
      a.keeper.adopt([{ slot: SLOT, epoch: 1 as Epoch }]);
      expect([told, a.keeper.epochOf(SLOT)]).toEqual([[], 2]);
    });
  });

  it('a slot that went to a node not seen yet is asked for again by the same epoch', async () => {
    const a = await kept(nodeNamed('a'), 'careful');
    expect(a.map.known).toEqual(Array.from({ length: SLOTS }, () => 1));
    a.keeper.learn([{ slot: SLOT, epoch: 2 as Epoch, owner: 'b.1' }]);
    expect([a.map.epochOf(SLOT), a.map.ownerOf(SLOT)]).toEqual([2, undefined]);
    expect(a.map.known[SLOT]).toBe(-1);
  });

  it('sends nobody to an owner whose counter stands still, as long as it can watch', async () => {
    const a = await kept(nodeNamed('a'), 'careful');
    const b = new MemoryLeaseTable(new MemoryLink(database));
    await world.outcome('the join', b.join(nodeNamed('b')));
    const renewed = async (): Promise<void> => void (await world.outcome('a renewal', b.renew('b.1')));
    const answer = (): object => a.keeper.elsewhere(SLOT);
    for (let i = 0; i < 3; i++) {
      await renewed();
      await world.advance(renewalMs);
    }
    a.keeper.learn([{ slot: SLOT, epoch: 2 as Epoch, owner: 'b.1' }]);
    expect(answer()).toMatchObject({ code: 'moved', owner: { id: 'b.1' } });
    await world.advance(renewalMs);
    expect(answer()).toMatchObject({ code: 'moved' });
    await world.advance(3 * renewalMs);
    expect(answer()).toMatchObject({ code: 'unavailable', retryAfterMs: 250 });

    await renewed();
    await world.advance(renewalMs);
    expect(answer()).toMatchObject({ code: 'moved' });
    // Without the database every counter stands still, and its owner may serve from memory.
    database.stop();
    await world.advance(3 * renewalMs);
    expect(answer()).toMatchObject({ code: 'moved' });
  });

  it('leaves every slot to nobody, and the next node need not wait', async () => {
    const a = await kept(nodeNamed('a'), 'careful');
    await world.outcome('the end', a.keeper.leave());
    expect(a.keeper.mayServe(SLOT)).toBe(false);
    expect(database.slots.every(({ owner }) => owner === undefined)).toBe(true);
    const startedMs = world.monotonicMs();
    await kept(nodeNamed('b'), 'careful');
    expect(world.monotonicMs() - startedMs).toBeLessThan(500);
    expect(database.slots[SLOT]).toEqual({ owner: 'b.1', epoch: 2 });
  });

  async function kept(info: NodeInfo, claim: Claim) {
    const it = node(info);
    await world.outcome('the claim', it.claim(claim));
    return it;
  }

  function node(info: NodeInfo, estate?: Estate) {
    const faults = new FaultPlan();
    const link = new MemoryLink(database, faults);
    const clock = world.process();
    const probe = new RecordingProbe();
    const table = new SlowLeaseTable(world, link);
    const lone = loneKeeper({
      ...{ me: info, leases: table, clock, probe, settings: DEFAULT_LEASE_SETTINGS },
      ...(estate && { estate }),
    });
    return {
      ...lone,
      faults,
      link,
      clock,
      probe,
      get delayAnswersMs() {
        return table.delayMs;
      },
      set delayAnswersMs(ms: number) {
        table.delayMs = ms;
      },
      watchRenewals: (sent: (ms: number) => void) => (table.sent = sent),
      crash: () => {
        clock.stop();
        link.cut();
      },
    };
  }
});

/** A lease table whose answers take their time. */
class SlowLeaseTable extends MemoryLeaseTable {
  delayMs = 0;
  sent: (ms: number) => void = () => {};

  constructor(
    private readonly world: FakeClock,
    link: MemoryLink,
  ) {
    super(link);
  }

  override async renew(nodeId: string): ReturnType<LeaseTable['renew']> {
    this.sent(this.world.monotonicMs());
    return this.#slowly(await super.renew(nodeId));
  }

  override async raise(...ask: Parameters<LeaseTable['raise']>): ReturnType<LeaseTable['raise']> {
    return this.#slowly(await super.raise(...ask));
  }

  async #slowly<T>(answer: T): Promise<T> {
    const { delayMs } = this;
    if (delayMs > 0) await new Promise<void>((resolve) => this.world.after(delayMs, resolve));
    return answer;
  }
}
