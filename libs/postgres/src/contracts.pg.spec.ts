import { afterAll, beforeAll } from 'vitest';
import { describeDocumentLog } from '../../testkit/src/contracts/document-log.contract.js';
import { describeLeaseTable } from '../../testkit/src/contracts/lease-table.contract.js';
import { describeRevocationTable } from '../../testkit/src/contracts/revocation-table.contract.js';
import { startTestPostgres, type TestPostgres } from '../../testkit/src/test-postgres.js';
import { openDatabase, type Database } from './database.js';
import { PostgresDocumentLog } from './postgres-document-log.js';
import { PostgresLeaseTable } from './postgres-lease-table.js';
import { PostgresRevocationTable } from './postgres-revocation-table.js';

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.stop());

describeDocumentLog('PostgresDocumentLog', async () => {
  const database = await openDatabase(await server.createDatabase());
  return {
    log: new PostgresDocumentLog(database, { retentionMs: null }),
    leases: new PostgresLeaseTable(database),
    close: () => database.close(),
  };
});

describeLeaseTable('PostgresLeaseTable', async () => {
  const url = await server.createDatabase();
  const opened: Database[] = [];
  return {
    connect: async () => {
      const database = await openDatabase(url);
      opened.push(database);
      return new PostgresLeaseTable(database);
    },
    close: async () => {
      await Promise.all(opened.map((database) => database.close()));
    },
  };
});

describeRevocationTable('PostgresRevocationTable', async () => {
  const url = await server.createDatabase();
  const opened: Database[] = [];
  return {
    connect: async () => {
      const database = await openDatabase(url);
      opened.push(database);
      return { revocations: new PostgresRevocationTable(database), leases: new PostgresLeaseTable(database) };
    },
    close: async () => {
      await Promise.all(opened.map((database) => database.close()));
    },
  };
});
