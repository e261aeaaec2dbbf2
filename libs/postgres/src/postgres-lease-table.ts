/**
 * `LeaseTable` on Postgres. Counters are compared, never clocks.
 *
 * The advisory lock of this node lives on the lease connection. When that connection was lost and made anew, its backend
 * is another one: the next renewal notices, and takes the lock again. Until it has it, others may find it free; that
 * alone proves nothing to them.
 */
import { LeaseTable } from '@homeport/core';
import type { LostSlot, NodeInfo, NodeRow, Raised, Renewal, Renewed, Slot, SlotRow, Tenure } from '@homeport/core';
import type { Epoch, NodeRef } from '@homeport/protocol';
import type { Sql } from './connections.js';
import type { Database } from './database.js';
import { timeline } from './timeline.js';

export class PostgresLeaseTable extends LeaseTable {
  readonly #database: Database;
  readonly #renewalDeadlineMs: number;
  /** The backend on which the lock of this node was taken. */
  #lockPid = 0;

  /** `renewalDeadlineMs`: a renewal that hangs must leave time for another one before the lease ends. */
  constructor(database: Database, renewalDeadlineMs = 1_000) {
    super();
    this.#database = database;
    this.#renewalDeadlineMs = renewalDeadlineMs;
  }

  nodes(): Promise<readonly NodeRow[]> {
    return this.#database.loads.run(async (sql) => [...(await selectLiving(sql))]);
  }

  async slots(known: readonly number[]): Promise<readonly SlotRow[]> {
    const rows = await this.#database.loads.run(
      (sql) => sql<(Tenure & { owner: string | null })[]>`
        SELECT slot, owner, epoch FROM slot
         WHERE owner IS NULL OR epoch > coalesce((${known as number[]}::bigint[])[slot + 1], -1) ORDER BY slot`,
    );
    return rows.map(({ slot, owner, epoch }) => ({ slot, epoch, owner: owner ?? undefined }));
  }

  async join(node: NodeInfo, broken?: () => void): Promise<void> {
    if (broken) this.#database.lease.watch(broken);
    await this.#database.lease.run(async (sql) => {
      await sql`
        DELETE FROM node n WHERE state IN ('dead', 'left') AND seen_at < now() - interval '1 day'
           AND NOT EXISTS (SELECT FROM slot s WHERE s.owner = n.node_id)`;
      await sql`
        INSERT INTO node (node_id, name, url, host, port, machine_id, lease_ttl_ms, state)
        VALUES (${node.id}, ${node.name}, ${node.url}, ${node.host}, ${node.port}, ${node.machineId},
                ${node.leaseTtlMs}, 'up')`;
      await this.#lock(sql, node.id);
    });
  }

  async renew(nodeId: string): Promise<Renewal> {
    try {
      return await this.#database.lease.run(async (sql): Promise<Renewal> => {
        const rows = await sql<(NodeRow & Omit<Renewed, 'kind' | 'nodes'> & { pid: number })[]>`
          WITH mine AS (
            UPDATE node SET renewals = renewals + 1, seen_at = now()
             WHERE node_id = ${nodeId} AND state IN ('up', 'draining') RETURNING *
          ), living AS (
            SELECT * FROM mine
             UNION ALL SELECT * FROM node WHERE node_id <> ${nodeId} AND state IN ('up', 'draining')
          )
          SELECT ${columns(sql)}, pg_backend_pid() AS pid, (SELECT sum(epoch)::bigint FROM slot) AS version,
                 ${timeline(sql)} AS timeline,
                 pg_postmaster_start_time()::text AS "serverStart",
                 extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 * 1000 AS "serverAgeMs",
                 (SELECT coalesce(max(revocation_id), 0) FROM revocation) AS revoked
            FROM living`;
        const [first] = rows;
        if (first === undefined || !rows.some(({ id }) => id === nodeId)) return { kind: 'dead' };
        if (first.pid !== this.#lockPid) await this.#lock(sql, nodeId);
        return {
          kind: 'renewed',
          nodes: rows.map(readNode),
          version: first.version,
          serverStart: first.serverStart,
          serverAgeMs: first.serverAgeMs,
          timeline: first.timeline,
          revoked: first.revoked,
        };
      }, this.#renewalDeadlineMs);
    } catch (error) {
      return { kind: 'failed', reason: String(error) };
    }
  }

  async isLockFree(nodeId: string): Promise<boolean> {
    // Shared and for the length of this statement: observers do not disturb each other. Not on the lease connection,
    // where a lock of our own would always look free.
    const [row] = await this.#database.loads.run(
      (sql) => sql<{ free: boolean }[]>`SELECT pg_try_advisory_xact_lock_shared(${key(sql, nodeId)}) AS free`,
    );
    return row?.free === true;
  }

  takeOver(
    me: string,
    victim: { readonly id: string; readonly renewals: number } | undefined,
    slots?: readonly Slot[],
  ): Promise<readonly Tenure[] | undefined> {
    return this.#database.transact(async (sql) => {
      const concerned = victim === undefined ? [me] : [me, victim.id];
      const locked = await sql<{ id: string; state: NodeRow['state'] }[]>`
          SELECT node_id AS id, state FROM node WHERE node_id = ANY(${concerned}::text[]) ORDER BY node_id
             FOR NO KEY UPDATE`;
      if (!locked.some(({ id, state }) => id === me && state === 'up')) {
        throw new Error(`node ${me} is not up and may take nothing`);
      }
      if (victim !== undefined) {
        const { count } = await sql`
            UPDATE node SET state = 'dead'
             WHERE node_id = ${victim.id} AND renewals = ${victim.renewals} AND state IN ('up', 'draining')`;
        if (count === 0) return undefined;
      }
      return takeFree(sql, me, slots);
    });
  }

  handOff(me: string, tenures: readonly Tenure[], to: string): Promise<readonly Tenure[]> {
    const slots = tenures.map(({ slot }) => slot);
    const epochs = tenures.map(({ epoch }) => epoch);
    return this.#database.transact(async (sql) => {
      const [target] = await sql`SELECT FROM node WHERE node_id = ${to} AND state = 'up' FOR NO KEY UPDATE`;
      if (target === undefined) return [];
      await lockSlots(sql, slots);
      const moved = await sql<Tenure[]>`
          UPDATE slot s SET owner = ${to}, epoch = s.epoch + 1
            FROM unnest(${slots}::int[], ${epochs}::bigint[]) AS f(slot, epoch)
           WHERE s.slot = f.slot AND s.epoch = f.epoch AND s.owner = ${me}
          RETURNING s.slot, s.epoch`;
      return [...moved];
    });
  }

  async drain(me: string): Promise<void> {
    // This opens the connection of the steps that follow, while nobody waits for them yet.
    await this.#database.transact(
      (sql) => sql`UPDATE node SET state = 'draining' WHERE node_id = ${me} AND state = 'up'`,
    );
  }

  raise(me: string, tenures: readonly Tenure[]): Promise<Raised> {
    const slots = tenures.map(({ slot }) => slot);
    const epochs = tenures.map(({ epoch }) => epoch);
    return this.#database.transact(async (sql) => {
      await lockSlots(sql, slots);
      const kept = await sql<Tenure[]>`
          UPDATE slot s SET epoch = s.epoch + 1 FROM unnest(${slots}::int[], ${epochs}::bigint[]) AS f(slot, epoch)
           WHERE s.slot = f.slot AND s.epoch = f.epoch AND s.owner = ${me}
          RETURNING s.slot, s.epoch`;
      const mine = new Set(kept.map(({ slot }) => slot));
      const others = slots.filter((slot) => !mine.has(slot));
      const rows = await sql<LostRow[]>`
          SELECT s.slot, s.epoch, n.node_id AS id, n.name, n.url
            FROM slot s LEFT JOIN node n ON n.node_id = s.owner WHERE s.slot = ANY(${others}::int[])`;
      return { kept: [...kept], lost: rows.map(readLost) };
    });
  }

  async leave(me: string): Promise<void> {
    await this.#database.transact(async (sql) => {
      await sql`UPDATE node SET state = 'left' WHERE node_id = ${me} AND state IN ('up', 'draining')`;
      const mine = await sql<{ slot: Slot }[]>`
          SELECT slot FROM slot WHERE owner = ${me} ORDER BY slot FOR NO KEY UPDATE`;
      await sql`
          UPDATE slot SET owner = NULL WHERE slot = ANY(${mine.map(({ slot }) => slot)}::int[]) AND owner = ${me}`;
    });
    this.#lockPid = 0;
    await this.#database.lease.run((sql) => sql`SELECT pg_advisory_unlock_all()`);
  }

  /** Another connection of ours that hangs may still hold it; then the next renewal tries again. */
  async #lock(sql: Sql, nodeId: string): Promise<void> {
    const [row] = await sql<{ held: boolean; pid: number }[]>`
      SELECT pg_try_advisory_lock(${key(sql, nodeId)}) AS held, pg_backend_pid() AS pid`;
    this.#lockPid = row?.held ? row.pid : 0;
  }
}

interface LostRow {
  readonly slot: Slot;
  readonly epoch: Epoch;
  readonly id: string | null;
  readonly name: string | null;
  readonly url: string | null;
}

const columns = (sql: Sql) => sql`
  node_id AS id, name, url, host, port, machine_id AS "machineId", lease_ttl_ms AS "leaseTtlMs", state, renewals`;

const key = (sql: Sql, nodeId: string) => sql`hashtextextended(${nodeId}, 0)`;

const selectLiving = (sql: Sql) => sql<NodeRow[]>`
  SELECT ${columns(sql)} FROM node WHERE state IN ('up', 'draining') ORDER BY node_id`;

const lockSlots = (sql: Sql, slots: readonly Slot[]) => sql`
  SELECT FROM slot WHERE slot = ANY(${slots}::int[]) ORDER BY slot FOR NO KEY UPDATE`;

/**
 * The slots that nobody living owns become mine. Locked first, in order; then a second statement, whose snapshot is
 * younger than the locks, judges them again: an owner that joined while we waited is not robbed.
 */
async function takeFree(sql: Sql, me: string, slots: readonly Slot[] | undefined): Promise<readonly Tenure[]> {
  const isAsked = slots === undefined ? sql`true` : sql`s.slot = ANY(${slots as Slot[]}::int[])`;
  const isFree = sql`NOT EXISTS (SELECT FROM node n WHERE n.node_id = s.owner AND n.state IN ('up', 'draining'))`;
  const seen = await sql<{ slot: Slot }[]>`
    SELECT s.slot FROM slot s WHERE ${isAsked} AND ${isFree} ORDER BY s.slot FOR NO KEY UPDATE OF s`;
  const taken = await sql<Tenure[]>`
    UPDATE slot s SET owner = ${me}, epoch = s.epoch + 1
     WHERE s.slot = ANY(${seen.map(({ slot }) => slot)}::int[]) AND ${isFree}
    RETURNING s.slot, s.epoch`;
  return [...taken];
}

function readNode({ id, name, url, host, port, machineId, leaseTtlMs, state, renewals }: NodeRow): NodeRow {
  return { id, name, url, host, port, machineId, leaseTtlMs, state, renewals };
}

function readLost({ slot, epoch, id, name, url }: LostRow): LostSlot {
  const owner: NodeRef | undefined = id === null || name === null || url === null ? undefined : { id, name, url };
  return { slot, epoch, owner };
}
