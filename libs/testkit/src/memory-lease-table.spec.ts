import { describe, expect, it } from 'vitest';
import { describeLeaseTable } from './contracts/lease-table.contract.js';
import { FakeClock } from './fake-clock.js';
import { MemoryDatabase } from './memory-database.js';
import { MemoryLeaseTable } from './memory-lease-table.js';
import { FaultPlan, MemoryLink } from './memory-link.js';
import { nodeNamed } from './samples.js';
import { SeededRandom } from './seeded-random.js';

describeLeaseTable('MemoryLeaseTable', async () => {
  const clock = new FakeClock();
  const database = new MemoryDatabase(clock, new SeededRandom(1));
  return { connect: async () => new MemoryLeaseTable(new MemoryLink(database)), close: clock.run() };
});

describe('MemoryLeaseTable, beside its contract', () => {
  it('frees the lock of a node whose process died, and of every node when the server died', async () => {
    const clock = new FakeClock();
    const database = new MemoryDatabase(clock, new SeededRandom(1));
    const [ada, bob] = [new MemoryLink(database), new MemoryLink(database)];
    await clock.outcome('the join', new MemoryLeaseTable(ada).join(nodeNamed('ada')));
    ada.cut();
    expect(await clock.outcome('the lock', new MemoryLeaseTable(bob).isLockFree('ada.1'))).toBe(true);

    await clock.outcome('the join', new MemoryLeaseTable(bob).join(nodeNamed('bob')));
    database.stop();
    database.start();
    expect(await clock.outcome('the lock', new MemoryLeaseTable(bob).isLockFree('bob.1'))).toBe(true);
    expect(await clock.outcome('the renewal', new MemoryLeaseTable(bob).renew('bob.1'))).toMatchObject({
      kind: 'renewed',
    });
    expect(await clock.outcome('the lock', new MemoryLeaseTable(bob).isLockFree('bob.1'))).toBe(false);
  });

  it('fails a renewal that got no answer, and rejects everything else', async () => {
    const clock = new FakeClock();
    const faults = new FaultPlan();
    const leases = new MemoryLeaseTable(new MemoryLink(new MemoryDatabase(clock, new SeededRandom(1)), faults));
    await clock.outcome('the join', leases.join(nodeNamed('ada')));
    for (const fault of ['error', 'requestLost', 'answerLost'] as const) {
      faults.failNext('renew', fault);
      expect(await clock.outcome('the renewal', leases.renew('ada.1'))).toMatchObject({ kind: 'failed' });
      faults.failNext('takeOver', fault);
      await expect(clock.outcome('the takeover', leases.takeOver('ada.1', undefined))).rejects.toThrow(/./);
    }
  });
});
