/**
 * Sessions write, pipelined, and the server is killed under them, again and again: with `kill -9`, at a moment when
 * every session has pushes in flight in every document that it has open; in every second round its Postgres is killed
 * with it. In the end everything settles, and the history is held against the log.
 *
 * A run in which no outcome was unknown killed nobody at work: it failed, whatever the checker says.
 */
import { SeededRandom, until, type ServerProcess } from '@homeport/testkit';
import { RawClient } from '../clients/raw-client.js';
import type { RawDocument } from '../clients/raw-document.js';
import { check, type Verdict } from '../history/checker.js';
import type { LogRow } from '../history/final-log.js';
import { nowMs, type Operation } from '../history/operation.js';
import { nextPush } from './writing.js';

export interface KillOptions {
  readonly rounds: number;
  readonly clients: number;
  readonly documents: number;
  /** Pushes in flight per client and document. */
  readonly window: number;
  readonly seed: number;
  /** How long any one step may take. */
  readonly patienceMs: number;
  readonly record: (operation: Operation) => void;
  readonly readLog: () => Promise<LogRow[]>;
  readonly tell: (line: string) => void;
}

export interface KillRound {
  readonly round: number;
  readonly postgresToo: boolean;
  readonly inFlight: number;
  readonly unknown: number;
  /** Of those: in the log when the server was back, though nobody had heard. */
  readonly recalled: number;
  readonly backAfterMs: number;
}

export interface KillResult {
  readonly ok: boolean;
  readonly rounds: readonly KillRound[];
  /** Why the run did not come to its end, or did not do what it is for. */
  readonly failure: string | undefined;
  readonly verdict: Verdict;
}

/** How many pushes each session must have had acknowledged between two kills. */
const ACKS_LOW = 20;
const ACKS_HIGH = 200;

export async function runKills(server: ServerProcess, options: KillOptions): Promise<KillResult> {
  const run = new KillRun(server, options);
  const failure = await run.play();
  if (failure !== undefined) options.tell(`FAILED: ${failure}`);
  const verdict = check({ history: run.history, log: await options.readLog(), spans: [], faults: [] });
  return { ok: failure === undefined && verdict.ok, rounds: run.rounds, failure, verdict };
}

class KillRun {
  readonly history: Operation[] = [];
  readonly rounds: KillRound[] = [];
  readonly #random: SeededRandom;
  readonly #clients: RawClient[];
  readonly #acks = new Map<string, number>();
  #unknown = 0;
  #recalled = 0;

  constructor(
    private readonly server: ServerProcess,
    private readonly options: KillOptions,
  ) {
    this.#random = new SeededRandom(options.seed);
    this.#clients = Array.from({ length: options.clients }, (_, i) => this.#join(i));
  }

  /** Answers why it did not get through, if so. */
  async play(): Promise<string | undefined> {
    try {
      await this.#until('every document to be open', () => this.#documents().every((document) => document.isOpen));
      for (const document of this.#documents()) document.feed(() => nextPush(this.#random, document.copy));
      for (let round = 1; round <= this.options.rounds; round++) await this.#killOnce(round, round % 2 === 0);
      for (const document of this.#documents()) document.feed(undefined);
      await this.#settle();
      return this.#unknown === 0 ? 'no outcome was ever unknown: nobody was killed at work' : undefined;
    } catch (error) {
      return (error as Error).message;
    } finally {
      for (const client of this.#clients) client.close();
    }
  }

  async #killOnce(round: number, postgresToo: boolean): Promise<void> {
    this.#acks.clear();
    const acks = Math.floor(this.#random.between(ACKS_LOW, ACKS_HIGH));
    await this.#until(`${acks} acknowledged pushes of every client, each with more in flight`, () =>
      this.#clients.every((client) => (this.#acks.get(client.name) ?? 0) >= acks && isAtWork(client)),
    );
    // Nothing is awaited between that look and the kill: what is in flight now is in flight then.
    const inFlight = sum(this.#documents(), (document) => document.inFlight);
    const [unknown, recalled] = [this.#unknown, this.#recalled];
    const killedMs = nowMs();
    const gone = this.server.kill();
    if (postgresToo && !(await this.server.killPostgres())) throw new Error('there was no Postgres to kill');
    await gone;
    await this.server.restart();
    await this.#until('every document to be open again', () => this.#documents().every((document) => document.isOpen));
    for (const document of this.#documents()) document.read();
    this.rounds.push({
      round,
      postgresToo,
      inFlight,
      unknown: this.#unknown - unknown,
      recalled: this.#recalled - recalled,
      backAfterMs: nowMs() - killedMs,
    });
    this.options.tell(describeRound(this.rounds.at(-1)!));
  }

  async #settle(): Promise<void> {
    await this.#until('every push to be settled', () =>
      this.#documents().every((document) => document.unsettled === 0),
    );
    await this.#until('all copies to stand at the last acknowledged seq', () => {
      const heads = new Map<string, number>();
      for (const { id, acknowledged } of this.#documents()) heads.set(id, Math.max(acknowledged, heads.get(id) ?? 0));
      return this.#documents().every(({ id, copy }) => copy.seq === heads.get(id));
    });
    const [torn] = this.#documents().flatMap((document) => document.recordFinal() ?? []);
    if (torn !== undefined) throw new Error(torn);
  }

  #join(index: number): RawClient {
    const { documents, window } = this.options;
    const name = `client-${index}`;
    const client = new RawClient({
      name,
      urls: [this.server.url],
      session: `${name}-${this.#random.id()}`,
      window,
      record: (operation) => this.#record(operation),
    });
    // Two documents each, so that neighbours share one and nobody is alone.
    client.open(`board-${index % documents}`);
    client.open(`board-${(index + 1) % documents}`);
    return client;
  }

  #record(operation: Operation): void {
    this.history.push(operation);
    this.options.record(operation);
    if (operation.kind !== 'push') return;
    if (operation.outcome === 'unknown') this.#unknown++;
    if (operation.outcome === 'ok') {
      this.#acks.set(operation.client, (this.#acks.get(operation.client) ?? 0) + 1);
      if (operation.by === 'recall') this.#recalled++;
    }
  }

  #documents(): RawDocument[] {
    return this.#clients.flatMap((client) => client.documents);
  }

  /** Waits for `holds`; rejects at once when a client can not go on. */
  #until(what: string, holds: () => boolean): Promise<void> {
    return until(this.options.patienceMs, what, () => {
      const trouble = this.#clients.map((client) => client.trouble).find((found) => found !== undefined);
      if (trouble !== undefined) throw new Error(trouble);
      return holds();
    });
  }
}

export function describeRound({ round, postgresToo, inFlight, unknown, recalled, backAfterMs }: KillRound): string {
  const victims = postgresToo ? 'server and Postgres' : 'server';
  return (
    `round ${round}: killed ${victims}, ${inFlight} pushes in flight, ${unknown} outcomes unknown, ` +
    `${recalled} of them were in the log, all back after ${Math.round(backAfterMs)} ms`
  );
}

function isAtWork(client: RawClient): boolean {
  return client.documents.every((document) => document.inFlight > 0);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
