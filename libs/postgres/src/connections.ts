import postgres from 'postgres';

/** The types of parameters and columns that the driver does not know by itself. */
export const TYPES = {
  /** Every counter of ours stays below 2^53. */
  bigint: { to: 20, from: [20], serialize: String, parse: Number },
  // Arrays are named here, else the driver asks the server for its types on every new connection. None is ever read.
  ints: { to: 1007, from: [], serialize: numberArray, parse: String },
  bigints: { to: 1016, from: [], serialize: numberArray, parse: String },
  floats: { to: 1022, from: [], serialize: numberArray, parse: String },
  texts: { to: 1009, from: [], serialize: textArray, parse: String },
};

export type Sql = postgres.Sql<{ bigint: number; ints: never; bigints: never; floats: never; texts: never }>;

/** The client-side deadline. The server ends a statement earlier (`statement_timeout`), so silence means that it hangs or is cut off. */
const DEADLINE_MS = 6_000;
const CLOSE_S = 1;
/** Longer than two steps of a drain are apart, and too short for a connection to go stale. */
const KEPT_MS = 1_000;

/** No answer within the deadline: whether the statement was, or will yet be, executed is not known. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

interface Driver {
  readonly sql: Sql;
  /** Asked, and not answered yet. */
  inFlight: number;
}

/**
 * A few connections for one purpose, and a deadline on whatever is asked of them.
 *
 * When one of them is lost, or an answer does not come in time, all of them are given up and made anew; what else was in
 * flight on them fails as lost, too. The driver (3.4) would reconnect by itself, but it waits for ever on a connection
 * that hangs, keeps unsent bytes of the lost one, and throws where nobody can catch it when a reserved connection, as
 * its `begin` and `reserve` make, is used after it was lost. So we start afresh, and use neither of the two.
 *
 * And each connection has a driver of its own. One driver with several, one of which is always idle, never empties its
 * queue of idle ones: that grows with every statement, and is searched from its beginning twice for each.
 */
export class Connections {
  readonly #open: (closed: () => void) => Sql;
  readonly #count: number;
  #drivers: readonly Driver[];
  #lost: () => void = () => {};

  /** `open`: a driver with one connection; it calls `closed` whenever that has ended. */
  constructor(open: (closed: () => void) => Sql, count = 1) {
    this.#open = open;
    this.#count = count;
    this.#drivers = this.#make();
  }

  /** `lost` is called whenever one of them has ended that was not given up. */
  watch(lost: () => void): void {
    this.#lost = lost;
  }

  /** Opens those that are not yet, which else wait for their first use. */
  async openAll(): Promise<void> {
    // Each is the least busy one in its turn.
    await Promise.all(this.#drivers.map(() => this.run((sql) => sql`SELECT 1`)));
  }

  async run<T>(work: (sql: Sql) => Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
    const drivers = this.#drivers;
    const driver = leastBusy(drivers);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const tell = () => reject(new DeadlinePassed(`Postgres gave no answer within ${deadlineMs} ms`));
      timer = setTimeout(tell, deadlineMs);
    });
    driver.inFlight++;
    try {
      return await Promise.race([work(driver.sql), late]);
    } catch (error) {
      if (answeredCode(error) === undefined) this.#giveUp(drivers);
      throw error;
    } finally {
      clearTimeout(timer);
      driver.inFlight--;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#drivers.map(({ sql }) => sql.end({ timeout: CLOSE_S })));
  }

  #make(): readonly Driver[] {
    const drivers = Array.from({ length: this.#count }, (): Driver => {
      const sql = this.#open(() => {
        if (drivers === this.#drivers) this.#lost();
      });
      return { sql, inFlight: 0 };
    });
    return drivers;
  }

  #giveUp(drivers: readonly Driver[]): void {
    if (drivers !== this.#drivers) return;
    this.#drivers = this.#make();
    for (const { sql } of drivers) void sql.end({ timeout: 0 });
  }
}

function leastBusy(drivers: readonly Driver[]): Driver {
  return drivers.reduce((least, driver) => (driver.inFlight < least.inFlight ? driver : least));
}

/**
 * Transactions, each alone on its connection, which ends with it on any failure: the server sees it close, and undoes.
 * Those that follow each other closely, as the steps of a drain do, share one: to open it takes longer than they do.
 */
export class Transactions {
  readonly #open: () => Sql;
  /** Of the last one that ended well, for a moment. */
  #kept: { readonly own: Connections; readonly end: NodeJS.Timeout } | undefined;

  constructor(open: () => Sql) {
    this.#open = open;
  }

  async run<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const own = this.#take() ?? new Connections(this.#open);
    try {
      const result = await own.run(async (sql) => {
        await sql.unsafe('BEGIN');
        const result = await work(sql);
        await sql.unsafe('COMMIT');
        return result;
      });
      this.#keep(own);
      return result;
    } catch (error) {
      void own.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#take()?.close();
  }

  #take(): Connections | undefined {
    const kept = this.#kept;
    clearTimeout(kept?.end);
    this.#kept = undefined;
    return kept?.own;
  }

  #keep(own: Connections): void {
    void this.close();
    this.#kept = { own, end: setTimeout(() => void this.close(), KEPT_MS) };
  }
}

/** The SQLSTATE of an error that the server answered with and outlived. A FATAL ends the connection, and may come after a commit. */
export function answeredCode(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError && error.severity === 'ERROR' ? error.code : undefined;
}

function numberArray(numbers: readonly number[]): string {
  return `{${numbers.join(',')}}`;
}

function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;
}
