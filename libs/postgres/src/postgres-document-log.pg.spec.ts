import { placed, slotOf, type AppendOutcome, type Batch, type CheckpointStep, type LoggedEntry } from '@homeport/core';
import type { Epoch, Json, Seq } from '@homeport/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../testkit/src/test-postgres.js';
import { until } from '@homeport/testkit';
import { DeadlinePassed, type Sql } from './connections.js';
import { connect, openDatabase, type Database } from './database.js';
import { PostgresDocumentLog } from './postgres-document-log.js';
import { PostgresLeaseTable } from './postgres-lease-table.js';

const BOARD = 'board-1';
const EPOCH = 1 as Epoch;
const WAIT_MS = 15_000;

describe('PostgresDocumentLog on real Postgres', () => {
  let server: TestPostgres;
  let database: Database;
  let admin: Sql;
  let log: PostgresDocumentLog;

  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    const url = await server.createDatabase();
    admin = connect(url, 2);
    database = await openDatabase(url);
    log = new PostgresDocumentLog(database, { retentionMs: 0 });
    const leases = new PostgresLeaseTable(database);
    await leases.join({
      id: 'me',
      name: 'me',
      url: 'http://me',
      host: 'h',
      port: 1,
      machineId: 'm',
      leaseTtlMs: 3_000,
    });
    await leases.takeOver('me', undefined);
  });
  afterEach(async () => {
    await database.close();
    await admin.end();
  });

  it('W9: a flush whose backend is killed has an unknown outcome, and the next one works', async () => {
    const outcome = await whileSlotIsLocked(async (waiting) => {
      await admin`SELECT pg_terminate_backend(${waiting})`;
    });
    expect(outcome.kind).toBe('unknown');
    expect(verdictOf(await flush(0, 1))).toBe('durable');
  });

  it('W9: a flush that the server gives up has failed, and nothing of it is stored', async () => {
    const outcome = await whileSlotIsLocked((waiting) => admin`SELECT pg_cancel_backend(${waiting})`);
    expect(outcome).toMatchObject({ kind: 'failed', poison: false });
    expect((await log.load(BOARD)).head).toBe(0);
  });

  it('a full disk is a failure, not poison, and stores nothing of any document', async () => {
    await refuseEntries('53100');
    expect(await flush(0, 2)).toMatchObject({ kind: 'failed', poison: false });
    expect((await log.load(BOARD)).head).toBe(0);
    await admin`DROP TRIGGER refuse ON entry_batch`;
    expect(verdictOf(await flush(0, 2))).toBe('durable');
  });

  it('data that Postgres refuses is poison', async () => {
    await refuseEntries('23514');
    expect(await flush(0, 1)).toMatchObject({ kind: 'failed', poison: true });
    const nul = 'board-\u0000';
    const outcome = await log.append('me', [{ ...batch(0, 1), document: nul, slot: slotOf(nul) }]);
    expect(outcome).toMatchObject({ kind: 'failed', poison: true });
  });

  it('R4: the log and the records give back what they were given, to the character', async () => {
    const value = { z: 1, a: [1e21, 5e-324, 'é😀 "\\{}', '\u0000', '\ud800', null, true], '': { b: {} } };
    expect(verdictOf(await log.append('me', [{ ...batch(0, 0), entries: [placed(entry(1, value))] }]))).toBe('durable');
    expect(JSON.stringify((await log.load(BOARD)).tail)).toBe(JSON.stringify([entry(1, value)]));
    expect(await log.checkpoint('me', step(1, value))).toBe('done');
    expect(JSON.stringify((await log.load(BOARD)).records[0]?.value)).toBe(JSON.stringify(value));
  });

  it('people see one row per push in the view entry', async () => {
    await flush(0, 2);
    await flush(2, 1);
    const rows =
      await admin`SELECT seq, epoch, user_id, op_no, after, ops -> 0 ->> 'key' AS key FROM entry ORDER BY seq`;
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(rows[2]).toEqual({ seq: 3, epoch: 1, user_id: 'ada', op_no: 3, after: 2, key: 'shape' });
  });

  it('W7: a document that has lost rows is not served', async () => {
    await flush(0, 2);
    await flush(2, 2);
    await log.checkpoint('me', step(1, 'x'));
    await admin`DELETE FROM entry_batch WHERE seq = 3`;
    await expect(log.load(BOARD)).rejects.toThrow('without a gap');
    await admin`DELETE FROM document`;
    await expect(log.load(BOARD)).rejects.toThrow('lost its row');
  });

  it('retention deletes only what is folded, old and far behind, and says so to those who ask for it', async () => {
    for (let head = 0; head < 1_200; head += 100) await flush(head, 100);
    expect(await log.trim()).toBe(0);
    await log.checkpoint('me', step(150, 'x'));
    expect(await log.trim()).toBe(1);
    expect(await log.entries(BOARD, 100 as Seq, 1)).toBe('trimmed');
    expect(await log.entries(BOARD, 101 as Seq, 1)).toMatchObject([{ seq: 101 }]);
    await log.checkpoint('me', step(1_200, 'x'));
    const kept = new PostgresDocumentLog(database, { retentionMs: 3_600_000 });
    expect(await kept.trim()).toBe(0);
    expect(await new PostgresDocumentLog(database, { retentionMs: null }).trim()).toBe(0);
    expect(await log.trim()).toBe(1);
    expect(await log.entries(BOARD, 200 as Seq, 1)).toBe('trimmed');
    expect((await log.load(BOARD)).head).toBe(1_200);
  });

  it('a question without an answer ends at its deadline, and the next one gets a new connection', async () => {
    const hanging = database.loads.run((sql) => sql`SELECT pg_sleep(4)`, 100);
    await expect(hanging).rejects.toBeInstanceOf(DeadlinePassed);
    expect((await log.load(BOARD)).head).toBe(0);
  });

  function flush(head: number, count: number): Promise<AppendOutcome> {
    return log.append('me', [batch(head, count)]);
  }

  /** Starts a flush while somebody holds its slot, calls back with the backend that waits, and gives the outcome. */
  async function whileSlotIsLocked(strike: (waiting: number) => Promise<unknown>): Promise<AppendOutcome> {
    return admin.begin(async (holder) => {
      await holder`SELECT FROM slot WHERE slot = ${slotOf(BOARD)} FOR UPDATE`;
      const flushed = flush(0, 1);
      let waiting: number | undefined;
      await until(WAIT_MS, 'a flush that waits for its slot', async () => {
        const rows = await admin<{ pid: number }[]>`
          SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        waiting = rows[0]?.pid;
        return waiting !== undefined;
      });
      if (waiting !== undefined) await strike(waiting);
      return flushed;
    });
  }

  async function refuseEntries(code: string): Promise<void> {
    await admin.unsafe(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '${code}'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON entry_batch FOR EACH ROW EXECUTE FUNCTION refuse()`);
  }
});

function entry(seq: number, value: Json): LoggedEntry {
  const ops = [{ op: 'put', key: 'shape', value } as const];
  return { seq: seq as Seq, session: 's', opNo: seq, after: seq - 1, user: 'ada', at: 1_767_225_600_000, ops };
}

function batch(head: number, count: number): Batch {
  const entries = Array.from({ length: count }, (_, index) => placed(entry(head + 1 + index, index)));
  return { document: BOARD, slot: slotOf(BOARD), epoch: EPOCH, head: head as Seq, entries, bytes: 0 };
}

function step(to: number, value: Json): CheckpointStep {
  const seq = to as Seq;
  const upserts = [{ key: 'shape', seq, value, bytes: 1, writer: 's', othersSeq: 0 as Seq }];
  const advance = { checkpoint: seq, forgottenTo: 0 as Seq, marks: [], forgotten: [] };
  return { document: BOARD, slot: slotOf(BOARD), epoch: EPOCH, upserts, deletes: [], advance };
}

function verdictOf(outcome: AppendOutcome): string {
  return outcome.kind === 'answered' ? String(outcome.verdicts.get(BOARD)) : `${outcome.kind}: ${outcome.reason}`;
}
