import type postgres from 'postgres';

/** Every counter of ours stays below 2^53, so `bigint` columns are read as numbers. */
export type Sql = postgres.Sql<{ bigint: number }>;

/** The client-side deadline. The server ends a statement earlier (`statement_timeout`), so silence means that it hangs or is cut off. */
export const DEADLINE_MS = 6_000;

/** No answer within the deadline: whether the statement was, or will yet be, executed is not known. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

/**
 * A few connections for one purpose, and a deadline on whatever is asked of them.
 *
 * The driver reconnects by itself when a connection ends, but it waits for ever on one that hangs. So after a deadline
 * all connections of the purpose are given up and opened anew; what else was in flight on them fails as lost.
 */
export class Connections {
  readonly #open: () => Sql;
  #sql: Sql;

  constructor(open: () => Sql) {
    this.#open = open;
    this.#sql = open();
  }

  async run<T>(work: (sql: Sql) => Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
    const sql = this.#sql;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#giveUp(sql);
        reject(new DeadlinePassed(`Postgres gave no answer within ${deadlineMs} ms`));
      }, deadlineMs);
    });
    try {
      return await Promise.race([work(sql), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: DEADLINE_MS / 1000 });
  }

  #giveUp(sql: Sql): void {
    if (sql !== this.#sql) return;
    this.#sql = this.#open();
    void sql.end({ timeout: 0 });
  }
}
