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

/** No answer within the deadline: whether the statement was, or will yet be, executed is not known. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

/**
 * A few connections for one purpose, and a deadline on whatever is asked of them.
 *
 * When one of them is lost, or an answer does not come in time, all of them are given up and made anew; what else was in
 * flight on them fails as lost, too. The driver (3.4) would reconnect by itself, but it waits for ever on a connection
 * that hangs, keeps unsent bytes of the lost one, and throws where nobody can catch it when a reserved connection, as
 * its `begin` and `reserve` make, is used after it was lost. So we start afresh, and use neither of the two.
 */
export class Connections {
  readonly #open: (closed: () => void) => Sql;
  #sql: Sql;
  #lost: () => void = () => {};

  /** `closed`: to be called whenever one of them has ended. */
  constructor(open: (closed: () => void) => Sql) {
    this.#open = open;
    this.#sql = this.#make();
  }

  /** `lost` is called whenever one of them has ended that was not given up. */
  watch(lost: () => void): void {
    this.#lost = lost;
  }

  async run<T>(work: (sql: Sql) => Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
    const sql = this.#sql;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const tell = () => reject(new DeadlinePassed(`Postgres gave no answer within ${deadlineMs} ms`));
      timer = setTimeout(tell, deadlineMs);
    });
    try {
      return await Promise.race([work(sql), late]);
    } catch (error) {
      if (answeredCode(error) === undefined) this.#giveUp(sql);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: CLOSE_S });
  }

  #make(): Sql {
    const sql: Sql = this.#open(() => {
      if (sql === this.#sql) this.#lost();
    });
    return sql;
  }

  #giveUp(sql: Sql): void {
    if (sql !== this.#sql) return;
    this.#sql = this.#make();
    void sql.end({ timeout: 0 });
  }
}

/** A transaction on a connection of its own, which ends with it: on any failure the server sees it close, and undoes. */
export async function transact<T>(open: () => Sql, work: (sql: Sql) => Promise<T>): Promise<T> {
  const own = new Connections(open);
  try {
    return await own.run(async (sql) => {
      await sql.unsafe('BEGIN');
      const result = await work(sql);
      await sql.unsafe('COMMIT');
      return result;
    });
  } finally {
    void own.close();
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
