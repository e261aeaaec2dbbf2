import { describeRevocationTable } from './contracts/revocation-table.contract.js';
import { FakeClock } from './fake-clock.js';
import { MemoryDatabase } from './memory-database.js';
import { MemoryLeaseTable } from './memory-lease-table.js';
import { MemoryLink } from './memory-link.js';
import { MemoryRevocationTable } from './memory-revocation-table.js';
import { SeededRandom } from './seeded-random.js';

describeRevocationTable('MemoryRevocationTable', async () => {
  const clock = new FakeClock();
  const database = new MemoryDatabase(clock, new SeededRandom(1));
  return {
    connect: async () => {
      const link = new MemoryLink(database);
      return { revocations: new MemoryRevocationTable(link), leases: new MemoryLeaseTable(link) };
    },
    close: clock.run(),
  };
});
