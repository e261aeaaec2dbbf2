import { SLOTS, type NodeInfo, type Renewed } from '@homeport/core';
import { until } from '@homeport/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../testkit/src/test-postgres.js';
import type { Sql } from './connections.js';
import { connect, openDatabase, type Database } from './database.js';
import { PostgresLeaseTable } from './postgres-lease-table.js';

const WAIT_MS = 15_000;

describe('PostgresLeaseTable on real Postgres', () => {
  let server: TestPostgres;
  let admin: Sql;
  let mine: Database;
  let others: Database;
  let alice: PostgresLeaseTable;
  let bob: PostgresLeaseTable;
  let breaks: number;

  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    const url = await server.createDatabase();
    admin = connect(url, 2);
    mine = await openDatabase(url);
    others = await openDatabase(url);
    alice = new PostgresLeaseTable(mine);
    bob = new PostgresLeaseTable(others);
    breaks = 0;
    await alice.join(node('alice.1'), () => breaks++);
    await alice.takeOver('alice.1', undefined);
    await bob.join(node('bob.1'));
  });
  afterEach(async () => {
    await Promise.all([mine.close(), others.close(), admin.end({ timeout: 1 })]);
  });

  it('the lock of a node is free when its lease connection is lost, and taken again by a renewal on the next', async () => {
    const [lease] = await mine.lease.run((sql) => sql<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`);
    await admin`SELECT pg_terminate_backend(${lease?.pid ?? 0})`;
    await until(WAIT_MS, 'a free lock', () => bob.isLockFree('alice.1'));
    await until(WAIT_MS, 'the word that it is lost', () => breaks === 1);
    await until(WAIT_MS, 'a renewal', async () => (await alice.renew('alice.1')).kind === 'renewed');
    expect(await bob.isLockFree('alice.1')).toBe(false);
    expect((await bob.nodes()).find(({ id }) => id === 'alice.1')?.state).toBe('up');
    expect(breaks).toBe(1);
  });

  it('E7: a renewal tells the timeline, and another one after a restore that was named as one', async () => {
    const before = await alice.renew('alice.1');
    expect(before).toMatchObject({ timeline: expect.stringMatching(/^[0-9a-f-]{36}-[0-9A-F]{8}$/) as string });
    expect(await bob.renew('bob.1')).toMatchObject({ timeline: (before as Renewed).timeline });
    await admin`UPDATE timeline SET id = gen_random_uuid()`;
    expect((await alice.renew('alice.1')) as Renewed).not.toMatchObject({ timeline: (before as Renewed).timeline });
  });

  it('a takeover whose backend is killed changed nothing, and can be repeated', async () => {
    const outcome = await admin.begin(async (holder) => {
      await holder`SELECT FROM slot WHERE slot = 7 FOR UPDATE`;
      const taken = bob.takeOver('bob.1', { id: 'alice.1', renewals: 0 }).catch((error: unknown) => error);
      await until(WAIT_MS, 'a takeover that waits for a slot', async () => {
        const rows = await admin`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        return rows.length === 1;
      });
      return taken;
    });
    expect(outcome).toBeInstanceOf(Error);
    expect(await alice.renew('alice.1')).toMatchObject({ kind: 'renewed' });
    expect(await bob.takeOver('bob.1', { id: 'alice.1', renewals: 1 })).toHaveLength(SLOTS);
  });

  it('a renewal that waits for a takeover of its node finds itself dead', async () => {
    const renewal = await admin.begin(async (holder) => {
      await holder`UPDATE node SET state = 'dead' WHERE node_id = 'alice.1'`;
      const renewing = alice.renew('alice.1');
      await until(WAIT_MS, 'a renewal that waits for its row', async () => {
        const rows = await admin`
          SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        return rows.length === 1;
      });
      return { renewing };
    });
    expect(await renewal.renewing).toEqual({ kind: 'dead' });
  });
});

function node(id: string): NodeInfo {
  return { id, name: id, url: `http://${id}`, host: '127.0.0.1', port: 4000, machineId: 'm', leaseTtlMs: 3_000 };
}
