/**
 * What the statements of a node cost, on a real Postgres of this run's own: CPU of all its processes and of this one, for
 * each. One after the other on one connection: how many fit into a second is CPU and disk of the machine at hand.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SLOTS, slotOf, type Batch, type PlacedEntry } from '@homeport/core';
import { EmbeddedPostgres, migrate, openDatabase, PostgresDocumentLog, PostgresLeaseTable } from '@homeport/postgres';
import type { Epoch, Seq } from '@homeport/protocol';
import { nodeNamed } from '@homeport/testkit';
import { cpuMs } from '../measuring/process-usage.js';

export interface PostgresCost {
  readonly what: string;
  readonly times: number;
  /** CPU for each, in µs; undefined where the system does not tell. */
  readonly postgresMicros: number | undefined;
  readonly nodeMicros: number;
}

const NODES = 200;
const DOCUMENTS = 50;
const NEW_SLOTS = 5;
const ME = 'node-0';

export async function postgresCosts(times: number): Promise<readonly PostgresCost[]> {
  const folder = await mkdtemp(join(tmpdir(), 'homeport-scale-'));
  const embedded = await EmbeddedPostgres.start(folder, () => {});
  try {
    await migrate(embedded.url, resolve('migrations'));
    const database = await openDatabase(embedded.url);
    try {
      const log = new PostgresDocumentLog(database, { retentionMs: null });
      const leases = new PostgresLeaseTable(database);
      for (let n = 0; n < NODES; n++) await leases.join(nodeNamed(`node-${n}`));
      const me = nodeNamed(ME).id;
      await leases.takeOver(me, undefined);
      const known = Array.from({ length: SLOTS }, (_, slot) => (slot < NEW_SLOTS ? 0 : 1));
      const writer = new Writer(log, me);
      const cost = (what: string, count: number, run: () => Promise<unknown>) =>
        measure(embedded.pid, what, count, run);
      return [
        await cost('a flush of 1 push', times, () => writer.flush(1, 1)),
        await cost(`a flush of 100 pushes, in ${DOCUMENTS} documents`, times / 4, () => writer.flush(DOCUMENTS, 2)),
        await cost('a flush of 1 push, and a checkpoint', times, () =>
          writer.flush(1, 1).then(() => writer.checkpoint()),
        ),
        await cost(`a renewal, ${NODES} nodes`, times, () => leases.renew(me)),
        await cost('a read of the slot map, all new', times, () => leases.slots([])),
        await cost(`a read of the slot map, ${NEW_SLOTS} new`, times, () => leases.slots(known)),
      ];
    } finally {
      await database.close();
    }
  } finally {
    await embedded.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(pid: number, what: string, times: number, run: () => Promise<unknown>): Promise<PostgresCost> {
  for (let n = 0; n < 100; n++) await run();
  const startMs = serverMs(pid);
  const start = process.cpuUsage();
  for (let n = 0; n < times; n++) await run();
  const endMs = serverMs(pid);
  const { user, system } = process.cpuUsage(start);
  const isKnown = startMs !== undefined && endMs !== undefined;
  const postgresMicros = isKnown ? ((endMs - startMs) * 1_000) / times : undefined;
  return { what, times, postgresMicros, nodeMicros: (user + system) / times };
}

class Writer {
  readonly #heads = new Map<string, number>();
  #next = 0;

  constructor(
    private readonly log: PostgresDocumentLog,
    private readonly me: string,
  ) {}

  async flush(documents: number, entriesEach: number): Promise<void> {
    const names = Array.from({ length: documents }, () => `document-${this.#next++ % DOCUMENTS}`);
    const outcome = await this.log.append(
      this.me,
      names.map((name) => this.#batch(name, entriesEach)),
    );
    if (outcome.kind !== 'answered' || [...outcome.verdicts.values()].some((verdict) => verdict !== 'durable'))
      throw new Error('a flush was not stored');
  }

  /** Of the last document that was flushed, in which one record has changed. */
  async checkpoint(): Promise<void> {
    const document = `document-${(this.#next - 1) % DOCUMENTS}`;
    const seq = this.#heads.get(document) as Seq;
    const value = { x: this.#next, y: this.#next };
    const done = await this.log.checkpoint(this.me, {
      ...{ document, slot: slotOf(document), epoch: 1 as Epoch },
      upserts: [{ key: `shape:${this.#next}`, seq, value, bytes: 20, writer: 'ada/s', othersSeq: seq }],
      deletes: [],
      advance: { checkpoint: seq, forgottenTo: 0 as Seq, marks: [], forgotten: [] },
    });
    if (done !== 'done') throw new Error('a checkpoint was not stored');
  }

  #batch(document: string, count: number): Batch {
    const head = this.#heads.get(document) ?? 0;
    this.#heads.set(document, head + count);
    const entries = Array.from({ length: count }, (_, n) => entryAt(head + 1 + n));
    const bytes = entries.reduce((sum, { opsText }) => sum + opsText.length, 0);
    return { document, slot: slotOf(document), epoch: 1 as Epoch, head: head as Seq, entries, bytes };
  }
}

function entryAt(seq: number): PlacedEntry {
  const opsText = `[{"op":"patch","key":"shape:1","set":{"x":${seq},"y":${seq}},"unset":[]}]`;
  const session = 'a3f9c1d2e4b5a6978899';
  return { seq: seq as Seq, session, opNo: seq, after: seq - 1, user: 'ada', at: 1_764_030_477_000 + seq, opsText };
}

/** The postmaster and those that it has started. */
function serverMs(postmaster: number): number | undefined {
  if (cpuMs(postmaster) === undefined) return undefined;
  const children = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === postmaster);
  return [postmaster, ...children.map(Number)].reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0);
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
