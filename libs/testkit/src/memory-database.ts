/**
 * A database that survives the crash of every node that uses it: the tables behind `MemoryDocumentLog` and
 * `MemoryLeaseTable`, and as much of Postgres as decides who wins a race.
 *
 * A transaction reads the snapshot that it found when its statement began, takes row locks in order, sees the newest
 * committed version of each row that it had to wait for (READ COMMITTED), and writes everything at once when it commits;
 * its locks go with the commit. All of that takes time on the fake clock, drawn from the seeded random, so two
 * transactions that are under way at once interleave at every step.
 *
 * `stop` is a crash of the server: transactions that have not committed are gone. `freeze` is a server that hangs:
 * what is under way goes on when it thaws, long after the clients have given it up.
 */
import { SLOTS, pause, type Clock, type LoggedEntry, type NodeRow, type RecordRow } from '@homeport/core';
import type { Revocation, SessionMarkRow, Slot } from '@homeport/core';
import type { DocumentId, Epoch, Seq, Timeline } from '@homeport/protocol';
import { RowLocks } from './row-locks.js';
import type { SeededRandom } from './seeded-random.js';

export interface SlotRow {
  readonly owner: string | undefined;
  readonly epoch: Epoch;
}

export interface DocumentTables {
  readonly slot: Slot;
  head: Seq;
  checkpoint: Seq;
  forgottenTo: Seq;
  readonly batches: BatchRow[];
  readonly records: Map<string, RecordRow>;
  readonly marks: Map<string, SessionMarkRow>;
}

/** The entries `seq … toSeq` of one flush. They are kept as text, so that nobody can change them afterwards. */
export interface BatchRow {
  readonly seq: Seq;
  readonly toSeq: Seq;
  readonly epoch: Epoch;
  readonly entries: readonly string[];
}

/** What a transaction found, and what its commit writes. */
export interface Commit<T> {
  readonly answer: T;
  readonly write?: () => void;
}
export type LockRows = (rows: readonly string[]) => Promise<void>;

/** The server went away under a statement. */
export class ServerGone extends Error {}

export class MemoryDatabase {
  timeline: Timeline = 'timeline-1';
  readonly slots: SlotRow[] = Array.from({ length: SLOTS }, () => ({ owner: undefined, epoch: 0 as Epoch }));
  readonly nodes = new Map<string, NodeRow>();
  readonly documents = new Map<DocumentId, DocumentTables>();
  /** By pattern and subject. */
  readonly revocations = new Map<string, Revocation>();
  /** Advisory locks, by node id: held by a connection, gone with it; and what ends that connection. */
  readonly advisoryLocks = new Map<string, () => void>();

  readonly #locks = new RowLocks();
  #state: 'up' | 'frozen' | 'stopped' = 'up';
  /** Which start of the server this is: a transaction ends with the one that it began in. */
  #life = 0;
  #startedMs = -Infinity;
  #thaw: (() => void)[] = [];

  constructor(
    readonly clock: Clock,
    readonly random: SeededRandom,
  ) {}

  get isReachable(): boolean {
    return this.#state !== 'stopped';
  }

  stop(): void {
    this.#state = 'stopped';
    this.#life++;
    for (const end of [...this.advisoryLocks.values()]) end();
    this.#locks.clear();
    this.#wake();
  }

  get serverStart(): string {
    return String(this.#life);
  }

  get serverAgeMs(): number {
    return this.clock.monotonicMs() - this.#startedMs;
  }

  get youngestRevocation(): number {
    return Math.max(0, ...[...this.revocations.values()].map(({ id }) => id));
  }

  /** Ends a `stop` or a `freeze`. */
  start(): void {
    if (this.#state === 'stopped') this.#startedMs = this.clock.monotonicMs();
    this.#state = 'up';
    this.#wake();
  }

  freeze(): void {
    this.#state = 'frozen';
  }

  async transact<T>(statement: (lock: LockRows) => Promise<Commit<T>>): Promise<T> {
    const life = this.#life;
    const held: string[] = [];
    const lock: LockRows = async (rows) => {
      for (const row of rows) {
        await this.#locks.acquire(row);
        this.#assertAlive(life);
        held.push(row);
      }
    };
    await this.#work(life);
    try {
      const { answer, write } = await statement(lock);
      await this.#work(life);
      write?.();
      return answer;
    } finally {
      if (life === this.#life) for (const row of held) this.#locks.release(row);
    }
  }

  // ── what tests look at ───────────────────────────────────────────────────────────────────────────────────────────

  /** The log of a document as it is on disk. */
  logOf(document: DocumentId): readonly (LoggedEntry & { readonly epoch: Epoch })[] {
    const batches = this.documents.get(document)?.batches ?? [];
    return batches.flatMap(({ epoch, entries }) => readEntries(entries).map((entry) => ({ ...entry, epoch })));
  }

  headOf(document: DocumentId): Seq {
    return this.documents.get(document)?.head ?? (0 as Seq);
  }

  checkpointOf(document: DocumentId): Seq {
    return this.documents.get(document)?.checkpoint ?? (0 as Seq);
  }

  /** Retention: whole batches up to `seq` go, as far as the checkpoint covers them. */
  trim(document: DocumentId, seq: Seq): void {
    const tables = this.documents.get(document);
    if (tables === undefined) return;
    const kept = tables.batches.findIndex((batch) => batch.toSeq > Math.min(seq, tables.checkpoint));
    tables.batches.splice(0, kept < 0 ? tables.batches.length : kept);
  }

  /** A step of the server's own time; a frozen server does not take it. */
  async #work(life: number): Promise<void> {
    await pause(this.clock, this.random.between(0.05, 2));
    while (this.#state === 'frozen') await new Promise<void>((resolve) => this.#thaw.push(resolve));
    this.#assertAlive(life);
  }

  #assertAlive(life: number): void {
    if (life !== this.#life || this.#state === 'stopped') throw new ServerGone('the database server is gone');
  }

  #wake(): void {
    const sleepers = this.#thaw;
    this.#thaw = [];
    for (const wake of sleepers) wake();
  }
}

export function readEntries(texts: readonly string[]): LoggedEntry[] {
  return texts.map((text) => JSON.parse(text) as LoggedEntry);
}
