/**
 * The way to Postgres: four groups of connections, so that nothing that may take long stands before something that may
 * not. `writes` carries flushes, one connection per lane. `folds` carries checkpoints. `loads` carries what reads much:
 * loads, entries, retention. `lease` is one connection that is never replaced while it works, because the advisory lock
 * of this node lives on it. Changes of ownership are rare and are made on connections of their own (`transact`).
 *
 * What acknowledged writes rest on is set for every connection and asserted at the start: a commit that is durable when
 * it is answered, READ COMMITTED (the fence needs the newest version of a row that it waited for), and limits on the
 * server's side, so that an owner that vanished inside a statement does not hold a slot.
 */
import postgres from 'postgres';
import { Connections, Transactions, TYPES, type Sql } from './connections.js';
import { addressOf, databaseOf, placeOf, userOf } from './database-url.js';
import { StartRefused } from './start-refused.js';

/** Lanes of the group commit. */
const WRITES_MAX = 2;
/** As many as checkpoints run at a time. */
const FOLDS_MAX = 2;
const LOADS_MAX = 3;

/** What every connection asks for, and what the server must confirm. Times in ms. */
const SESSION = {
  synchronous_commit: 'on',
  default_transaction_isolation: 'read committed',
  statement_timeout: 5_000,
  lock_timeout: 3_000,
  idle_in_transaction_session_timeout: 5_000,
} as const;
/** Costs nothing in safety: our statements are short, so compiling them never pays. */
const TUNING = { application_name: 'homeport', jit: 'off' };
/**
 * Each prepared statement gets one plan, by index, for ever. Else Postgres plans each flush anew, which costs more than
 * executing it, or keeps a plan that it made when the tables were empty. The largest flush is sorted in memory.
 */
const ONE_PLAN = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', work_mem: '32MB' };

const TABLES = ['slot', 'document', 'entry_batch', 'record', 'session_mark', 'node', 'timeline', 'revocation'];

/**
 * A checkpoint does not wait for the disk. It says nothing that the log does not say, so a crash may lose it, whole; and
 * since the write-ahead log is one, whatever is committed after it (a flush, the trimming of what it folded) is never on
 * disk without it. It holds the row of its slot for a moment instead of for a write to disk, and flushes need that row.
 */
const NOT_WAITING = { ...ONE_PLAN, synchronous_commit: 'off' };

export class Database {
  readonly writes: Connections;
  readonly folds: Connections;
  readonly loads: Connections;
  readonly lease: Connections;

  readonly #transactions: Transactions;

  constructor(url: string) {
    this.writes = new Connections(() => connect(url, 1, ONE_PLAN), WRITES_MAX);
    this.folds = new Connections(() => connect(url, 1, NOT_WAITING), FOLDS_MAX);
    this.loads = new Connections(() => connect(url, 1, ONE_PLAN), LOADS_MAX);
    this.lease = new Connections((closed) => connect(url, 1, {}, closed));
    this.#transactions = new Transactions(() => connect(url, 1));
  }

  /** One READ COMMITTED transaction. Each statement in it sees what was committed before that statement. */
  transact<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#transactions.run(work);
  }

  async close(): Promise<void> {
    const all = [this.writes, this.folds, this.loads, this.lease, this.#transactions];
    await Promise.all(all.map((connections) => connections.close()));
  }
}

/** Connects, and checks that what it is connected to can be trusted with acknowledged writes. Rejects with `StartRefused`. */
export async function openDatabase(url: string): Promise<Database> {
  addressOf(url);
  const database = new Database(url);
  try {
    await database.loads.run(assertTrustworthy);
    await assertDirect(url);
    // The first push, load and checkpoint of a node find them open: it may be in the middle of a takeover.
    await Promise.all([database.writes, database.folds, database.loads].map((group) => group.openAll()));
    return database;
  } catch (error) {
    await database.close();
    throw refusal(error, url);
  }
}

/**
 * `max` connections with the settings of a session, changed by `settings`. They are made when they are first needed.
 * `closed` is called whenever one has ended.
 */
export function connect(
  url: string,
  max: number,
  settings: postgres.Options<{}>['connection'] = {},
  closed: () => void = () => {},
): Sql {
  const { url: driverUrl, address } = addressOf(url);
  return postgres(driverUrl, {
    ...address,
    max,
    types: TYPES,
    fetch_types: false,
    connection: { ...TUNING, ...SESSION, ...settings },
    // By default the driver replaces a connection after 30 to 60 minutes, silently, and a lock held on it is gone.
    max_lifetime: null,
    connect_timeout: 5,
    backoff: (attempt) => Math.min(0.02 * 2 ** attempt, 0.5),
    onnotice: () => {},
    onclose: closed,
  });
}

interface Setting {
  readonly name: string;
  readonly value: string;
}

async function assertTrustworthy(sql: Sql): Promise<void> {
  const asked = { ...SESSION, fsync: 'on', full_page_writes: 'on', server_encoding: 'UTF8' };
  const [found] = await sql<{ version: number; isStandby: boolean; settings: Setting[]; unlogged: string | null }[]>`
    SELECT current_setting('server_version_num')::int AS version,
           pg_is_in_recovery() AS "isStandby",
           (SELECT json_agg(json_build_object('name', name, 'value', setting)) FROM pg_settings
             WHERE name = ANY(${Object.keys(asked)}::text[])) AS settings,
           (SELECT min(relname) FROM pg_class
             WHERE relname = ANY(${TABLES}::text[]) AND relnamespace = current_schema()::regnamespace
               AND relkind = 'r' AND relpersistence <> 'p') AS unlogged`;
  if (!found) throw new Error('no answer to the question for the settings');
  if (found.version < 150_000) {
    throw new StartRefused(
      `this Postgres is version ${Math.floor(found.version / 10_000)}: Homeport needs 15 or newer`,
    );
  }
  if (found.isStandby) throw new StartRefused('this Postgres is a read-only standby: name the primary in DATABASE_URL');
  for (const [name, needed] of Object.entries(asked)) {
    const value = found.settings.find((setting) => setting.name === name)?.value;
    if (value === String(needed)) continue;
    throw new StartRefused(
      `Postgres runs with ${name} = ${value}: Homeport needs ${needed} to keep what it acknowledges`,
    );
  }
  if (found.unlogged !== null) {
    throw new StartRefused(`table ${found.unlogged} is unlogged, a crash would empty it: ALTER TABLE … SET LOGGED`);
  }
}

/**
 * Behind a transaction pooler our connections swap backends between statements, and with them settings and locks. Two
 * connections take turns, one inside a transaction: each must keep a backend of its own.
 */
async function assertDirect(url: string): Promise<void> {
  const one = new Connections(() => connect(url, 1));
  const other = new Connections(() => connect(url, 1));
  try {
    const pids = { one: new Set<number>(), other: new Set<number>() };
    for (let turn = 0; turn < 3; turn++) {
      pids.one.add(await one.run(backendOf));
      await other.run((sql) => sql.unsafe('BEGIN'));
      pids.other.add(await other.run(backendOf));
      pids.one.add(await one.run(backendOf));
      await other.run((sql) => sql.unsafe('COMMIT'));
      pids.other.add(await other.run(backendOf));
    }
    if (pids.one.size > 1 || pids.other.size > 1 || [...pids.one].some((pid) => pids.other.has(pid))) {
      throw new StartRefused(
        'a transaction pooler stands between Homeport and Postgres: DATABASE_URL must lead to Postgres itself, or to a pool of sessions',
      );
    }
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
}

async function backendOf(sql: Sql): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`.simple();
  return Number(row?.pid);
}

/** What went wrong at the start, as one line that says what to do. Never with the password. */
export function refusal(error: unknown, url: string): StartRefused {
  if (error instanceof StartRefused) return error;
  const { code, message } = error as { code?: string; message: string };
  const place = placeOf(url);
  switch (code) {
    case '28P01':
    case '28000':
      return new StartRefused(
        `Postgres at ${place} does not let user ${userOf(url)} in: check user and password in DATABASE_URL`,
      );
    case '3D000':
      return new StartRefused(
        `Postgres at ${place} has no database ${databaseOf(url)}: create it, or change DATABASE_URL`,
      );
    case '42501':
      return new StartRefused(`user ${userOf(url)} lacks a right in database ${databaseOf(url)}: ${message}`);
    case '53300':
      return new StartRefused(
        `Postgres at ${place} has no connections left: Homeport needs ${WRITES_MAX + FOLDS_MAX + LOADS_MAX + 1}`,
      );
    case '08P01':
      return new StartRefused(`what answers at ${place} refuses settings of a session (a pooler?): ${message}`);
    default:
      return new StartRefused(
        `Postgres at ${place} can not be used: ${code === undefined ? message : `${message} (${code})`}`,
      );
  }
}
