/**
 * Flush, takeover and load race on a few slots of a real Postgres, with backends killed at random. Each owner keeps its
 * head in memory, as a document does, and appends as fast as it can; a taker raises the epoch and then loads. What an
 * owner was told is durable must be in every load that begins after the takeover, and the log must stay gapless.
 *
 * The same harness runs with the shipped statements, which must show nothing, and with each way of breaking them, which
 * must show something. The variants are made from the shipped text, so that they can not drift apart.
 */
import type { Slot } from '@homeport/core';
import { SeededRandom } from '@homeport/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../testkit/src/test-postgres.js';
import { Transactions, type Sql } from './connections.js';
import { connect } from './database.js';
import { append, FENCE_LOCK } from './fenced-statements.js';

const SLOTS = 4;
const OWNERS_PER_SLOT = 2;
/** What the shipped statements must survive, and the longest that any variant runs. */
const TAKEOVERS = 1_500;
const LIMIT_MS = 10_000;
/** With less than this a run has proved nothing. */
const TAKEOVERS_MIN = 100;

interface Variant {
  readonly append: string;
  takeOverAndLoad(sql: Sql, slot: Slot, owner: string, url: string): Promise<Taken>;
}
interface Taken {
  readonly epoch: number;
  readonly head: number;
}

const raise = 'UPDATE slot SET owner = $2, epoch = epoch + 1 WHERE slot = $1 RETURNING epoch';
const head = "SELECT coalesce(max(to_seq), 0) AS head FROM entry_batch WHERE document_id = 'd' || $1::int";

const shipped: Variant = {
  append: append(FENCE_LOCK),
  async takeOverAndLoad(sql, slot, owner) {
    const [taken] = await sql.unsafe<{ epoch: number }[]>(raise, [slot, owner]);
    const [loaded] = await sql.unsafe<{ head: number }[]>(head, [slot]);
    return { epoch: Number(taken?.epoch), head: Number(loaded?.head) };
  },
};

const broken: Readonly<Record<string, Variant>> = {
  'no lock on the slot': { ...shipped, append: append('') },
  'a lock that does not conflict with a takeover': { ...shipped, append: append('FOR KEY SHARE OF s') },
  'takeover and load in one statement': {
    ...shipped,
    async takeOverAndLoad(sql, slot, owner) {
      const text = `WITH taken AS (${raise}), loaded AS (${head}) SELECT epoch, head FROM taken, loaded`;
      const [row] = await sql.unsafe<Taken[]>(text, [slot, owner]);
      return { epoch: Number(row?.epoch), head: Number(row?.head) };
    },
  },
  'takeover and load in one snapshot': {
    ...shipped,
    async takeOverAndLoad(_, slot, owner, url) {
      const transactions = new Transactions(() => connect(url, 1));
      const taken = await transactions.run(async (sql) => {
        await sql.unsafe('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
        const [raised] = await sql.unsafe<{ epoch: number }[]>(raise, [slot, owner]);
        const [loaded] = await sql.unsafe<{ head: number }[]>(head, [slot]);
        return { epoch: Number(raised?.epoch), head: Number(loaded?.head) };
      });
      await transactions.close();
      return taken;
    },
  },
};

describe('the fence', { timeout: 120_000 }, () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  it('W6, W7: with the shipped statements no load misses what was acknowledged, and no late flush writes', async () => {
    const race = await Race.run(await server.createDatabase(), shipped, (seen) => seen.takeovers >= TAKEOVERS);
    expect(race.violations).toEqual([]);
    expect(race.takeovers).toBeGreaterThan(TAKEOVERS_MIN);
    expect(race.acknowledged).toBeGreaterThan(TAKEOVERS_MIN);
    expect(race.fenced).toBeGreaterThan(0);
    expect(race.killed).toBeGreaterThan(0);
  });

  it.each(Object.entries(broken))('W6, W7: %s loses acknowledged entries', async (_, variant) => {
    const race = await Race.run(await server.createDatabase(), variant, (seen) => seen.violations.length > 0);
    expect(race.violations).not.toEqual([]);
  });
});

interface Owner {
  readonly id: string;
  tenure: Taken | undefined;
}

class Race {
  readonly violations: string[] = [];
  takeovers = 0;
  acknowledged = 0;
  fenced = 0;
  killed = 0;

  readonly #random = new SeededRandom(7);
  /** The highest seq that anybody was told is durable, by slot. */
  readonly #durable = new Map<Slot, number>();
  readonly #endMs = Date.now() + LIMIT_MS;

  private constructor(
    private readonly sql: Sql,
    private readonly url: string,
    private readonly variant: Variant,
    private readonly isEnough: (race: Race) => boolean,
  ) {}

  static async run(url: string, variant: Variant, isEnough: (race: Race) => boolean): Promise<Race> {
    const sql = connect(url, 2 * SLOTS * OWNERS_PER_SLOT);
    const admin = connect(url, 1);
    const race = new Race(sql, url, variant, isEnough);
    try {
      const slots = Array.from({ length: SLOTS }, (_, slot) => slot as Slot);
      await Promise.all([...slots.map((slot) => race.#contend(slot)), race.#killBackends(admin)]);
      for (const slot of slots) await race.#audit(slot, admin);
      return race;
    } finally {
      await sql.end({ timeout: 1 });
      await admin.end({ timeout: 1 });
    }
  }

  get #isOver(): boolean {
    return this.isEnough(this) || Date.now() > this.#endMs;
  }

  /** Owners that never learn of each other write without a pause, and take the slot from each other. */
  async #contend(slot: Slot): Promise<void> {
    const owners = Array.from({ length: OWNERS_PER_SLOT }, (_, index): Owner => {
      return { id: `owner-${index}`, tenure: undefined };
    });
    await Promise.all([...owners.map((owner) => this.#write(slot, owner)), this.#takeInTurns(slot, owners)]);
  }

  async #write(slot: Slot, owner: Owner): Promise<void> {
    while (!this.#isOver) {
      const tenure = owner.tenure;
      if (tenure === undefined) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const to = tenure.head + 1 + this.#random.int(3);
      const parameters = [owner.id, [`d${slot}`], [slot], [tenure.epoch], [tenure.head], [to], ['[]']];
      try {
        const [row] = await this.sql.unsafe<{ fenced_in: string[]; stored: string[] }[]>(
          this.variant.append,
          parameters,
          {
            prepare: true,
          },
        );
        if (row?.stored.length === 1) {
          this.acknowledged++;
          this.#durable.set(slot, Math.max(to, this.#durable.get(slot) ?? 0));
          if (owner.tenure === tenure) owner.tenure = { epoch: tenure.epoch, head: to };
          continue;
        }
        if (row?.fenced_in.length === 0) this.fenced++;
        else if (owner.tenure === tenure) this.violations.push(`slot ${slot}: fenced in, but the head is another`);
      } catch {
        // The backend was killed: whether it is stored is not known, so this owner may not go on.
      }
      if (owner.tenure === tenure) owner.tenure = undefined;
    }
  }

  async #takeInTurns(slot: Slot, owners: readonly Owner[]): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const owner = owners[turn % owners.length];
      if (owner === undefined) return;
      owner.tenure = undefined;
      try {
        const taken = await this.variant.takeOverAndLoad(this.sql, slot, owner.id, this.url);
        this.takeovers++;
        // Told before the load was answered, at an older epoch, or it would have been fenced: the load must have it.
        const durable = this.#durable.get(slot) ?? 0;
        if (taken.head < durable) this.violations.push(`slot ${slot}: loaded ${taken.head}, ${durable} was durable`);
        owner.tenure = taken;
      } catch {
        continue;
      }
      for (let pauses = this.#random.int(20); pauses > 0; pauses--) await new Promise((r) => setImmediate(r));
    }
  }

  async #killBackends(admin: Sql): Promise<void> {
    while (!this.#isOver) {
      const killed = await admin`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
         ORDER BY random() LIMIT 1`;
      this.killed += killed.length;
      await admin`SELECT pg_sleep(0.05)`;
    }
  }

  /** W2, W3: the seqs are gapless, the epochs never fall. */
  /** Over the one connection whose backend nobody has killed. */
  async #audit(slot: Slot, admin: Sql): Promise<void> {
    const batches = await admin<{ seq: number; to_seq: number; epoch: number }[]>`
      SELECT seq, to_seq, epoch FROM entry_batch WHERE document_id = ${`d${slot}`} ORDER BY seq`;
    batches.forEach((batch, index) => {
      const before = batches[index - 1] ?? { to_seq: 0, epoch: 0 };
      if (batch.seq !== before.to_seq + 1) this.violations.push(`slot ${slot}: ${batch.seq} follows ${before.to_seq}`);
      if (batch.epoch < before.epoch) this.violations.push(`slot ${slot}: the epoch falls at ${batch.seq}`);
    });
    const stored = batches.at(-1)?.to_seq ?? 0;
    if (stored < (this.#durable.get(slot) ?? 0)) this.violations.push(`slot ${slot}: the log ends at ${stored}`);
  }
}
