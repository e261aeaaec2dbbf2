/**
 * The people of a run: pushes come at their times, whether the ones before were answered or not.
 *
 * Some sessions follow their documents from node to node, some stay where they are and are relayed. All of them read and
 * are shown what the others write; watchers only do that. HTTP readers ask any node. A push that finds 64 of its session
 * unanswered is given up before it has a number (`shed`): the one thing that an open load may not do is wait.
 */
import { until, type SeededRandom } from '@homeport/testkit';
import { RawClient } from '../clients/raw-client.js';
import type { RawDocument } from '../clients/raw-document.js';
import { nowMs, type Operation } from '../history/operation.js';
import { nextPush } from '../kill/writing.js';
import { HttpReader } from '../clients/http-reader.js';

export interface OpenLoadOptions {
  readonly random: SeededRandom;
  /** Where nodes can be reached at present. The clients know those of the start. */
  readonly urls: () => readonly string[];
  readonly record: (operation: Operation) => void;
}

const DOCUMENTS = 8;
const WRITERS = 8;
const RELAYED = 3;
const WATCHERS = 4;
const HTTP_READERS = 2;
const WRITES_PER_SECOND = 10;
const READ_EVERY_MS = 400;
const HTTP_EVERY_MS = 100;
const TICK_MS = 10;
/** As many unanswered pushes as a session may have in a document. */
const WINDOW = 64;

type Heads = ReadonlyMap<string, number>;

/** Something that is done again and again, at times of its own. */
interface Duty {
  dueMs: number;
  readonly everyMs: number;
  readonly work: () => void;
}

export class OpenLoad {
  readonly documents = Array.from({ length: DOCUMENTS }, (_, i) => `board-${i}`);
  readonly clients: RawClient[] = [];
  readonly #options: OpenLoadOptions;
  readonly #random: SeededRandom;
  readonly #http: HttpReader[] = [];
  readonly #duties: Duty[] = [];
  readonly #writing = new Set<RawDocument>();
  /** The last ack of each session in each document. */
  readonly #ackedMs = new Map<string, number>();
  #tick: NodeJS.Timeout | undefined;
  #joined = 0;
  acks = 0;
  shed = 0;

  constructor(options: OpenLoadOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  get trouble(): string | undefined {
    return this.clients.map((client) => client.trouble).find((trouble) => trouble !== undefined);
  }

  get opened(): readonly RawDocument[] {
    return this.clients.flatMap((client) => client.documents);
  }

  start(): void {
    const two = (i: number): string[] => [this.documents[i % DOCUMENTS]!, this.documents[(i + 1) % DOCUMENTS]!];
    for (let i = 0; i < WRITERS; i++) this.#write(this.join('writer', two(i)), WRITES_PER_SECOND);
    for (let i = 0; i < RELAYED; i++) this.#write(this.join('relayed', two(2 * i), 'relay'), WRITES_PER_SECOND / 2);
    for (let i = 0; i < WATCHERS; i++) this.join('watcher', two(2 * i), i % 2 === 0 ? 'redirect' : 'relay');
    for (const document of this.opened) this.#duty(READ_EVERY_MS, () => document.read());
    for (let i = 0; i < HTTP_READERS; i++) {
      const reader = new HttpReader(`http-${i}`, this.#options.record);
      this.#http.push(reader);
      this.#duty(HTTP_EVERY_MS, () => void this.#readOverHttp(reader));
    }
    this.#tick = setInterval(() => this.#work(), TICK_MS);
  }

  /** One more session. It writes nothing by itself. */
  join(kind: string, documents: readonly string[], pin: 'redirect' | 'relay' = 'redirect'): RawClient {
    const name = `${kind}-${this.#joined++}`;
    const client = new RawClient({
      ...{ name, pin, window: WINDOW, urls: this.#options.urls(), startAt: this.#joined },
      session: `${name}-${this.#random.id()}`,
      record: (operation) => this.#record(operation),
    });
    for (const document of documents) client.open(document);
    this.clients.push(client);
    return client;
  }

  /** Pushes at their times, for as long as it is asked to. */
  addWork(perSecond: number, work: () => void): () => void {
    const duty = this.#duty(1_000 / perSecond, work);
    return () => void this.#duties.splice(this.#duties.indexOf(duty), 1);
  }

  /** No push any more; reads go on. */
  stopWriting(): void {
    this.#writing.clear();
  }

  stop(): void {
    clearInterval(this.#tick);
    for (const client of this.clients) client.close();
  }

  /** Resolves when every document is open everywhere and every writer had an ack that was not there when this was called. */
  async flowing(limitMs: number): Promise<void> {
    const since = nowMs();
    await this.until(limitMs, () => {
      const closed = this.opened.filter((document) => !document.isOpen).length;
      const waiting = [...this.#writing].filter((document) => this.#ackOf(document) < since).length;
      return closed + waiting === 0 ? undefined : `${closed} documents to be open, ${waiting} writers to have an ack`;
    });
  }

  /** Waits until nothing of theirs is unanswered and every copy stands at its document's head, and records the copies. */
  async settle(clients: readonly RawClient[], limitMs: number, heads: () => Promise<Heads>): Promise<void> {
    const opened = clients.flatMap((client) => client.documents);
    await this.until(limitMs, () => {
      const unsettled = opened.filter((document) => document.unsettled > 0).length;
      return unsettled === 0 ? undefined : `the pushes in ${unsettled} documents to be answered`;
    });
    const end = await heads();
    let torn: string | undefined;
    await this.until(limitMs, () => {
      const behind = opened.filter(({ id, copy }) => copy.seq !== (end.get(id) ?? 0));
      const [first] = behind;
      if (first === undefined) return undefined;
      return `${behind.length} copies to reach the head (${first.client} in ${first.id}: ${first.copy.seq} of ${end.get(first.id)})`;
    }).finally(() => {
      // Also those that do not: where they stand is for the checker to judge.
      [torn] = opened.flatMap((document) => document.recordFinal() ?? []);
    });
    if (torn !== undefined) throw new Error(torn);
  }

  /** These sessions end; nobody else has written to their documents. */
  async retire(clients: readonly RawClient[], limitMs: number, heads: () => Promise<Heads>): Promise<void> {
    await this.settle(clients, limitMs, heads);
    for (const client of clients) {
      client.close();
      this.clients.splice(this.clients.indexOf(client), 1);
    }
  }

  /** Every node is asked for every document, once all is quiet. Rejects if one of them does not answer. */
  async readEverywhere(): Promise<void> {
    const reader = new HttpReader('http-final', this.#options.record);
    for (const url of this.#options.urls())
      for (const document of this.documents)
        if ((await reader.read(url, document, this.#positionOf(document))) === undefined)
          throw new Error(`${url} did not answer for ${document} when all was quiet`);
  }

  get httpReads(): { readonly answered: number; readonly unanswered: number } {
    const sum = (of: (reader: HttpReader) => number): number => this.#http.reduce((all, one) => all + of(one), 0);
    return { answered: sum(({ answered }) => answered), unanswered: sum(({ unanswered }) => unanswered) };
  }

  /** Waits until there is nothing left to wait for; rejects at once when a client can not go on. */
  async until(limitMs: number, missing: () => string | undefined): Promise<void> {
    let what: string | undefined;
    try {
      await until(limitMs, 'it', () => {
        if (this.trouble !== undefined) throw new Error(this.trouble);
        what = missing();
        return what === undefined;
      });
    } catch (error) {
      throw this.trouble === undefined && what !== undefined ? new Error(`waited ${limitMs} ms for ${what}`) : error;
    }
  }

  #write(client: RawClient, perSecond: number): void {
    for (const document of client.documents) {
      this.#writing.add(document);
      this.#duty(1_000 / perSecond, () => {
        if (!this.#writing.has(document)) return;
        if (document.push(nextPush(this.#random, document.copy)) === undefined) this.shed++;
      });
    }
  }

  #duty(everyMs: number, work: () => void): Duty {
    const duty = { dueMs: nowMs() + this.#random.between(0, everyMs), everyMs, work };
    this.#duties.push(duty);
    return duty;
  }

  #work(): void {
    const now = nowMs();
    for (const duty of [...this.#duties])
      while (duty.dueMs <= now) {
        duty.dueMs += this.#random.between(0.5, 1.5) * duty.everyMs;
        duty.work();
      }
  }

  async #readOverHttp(reader: HttpReader): Promise<void> {
    const urls = this.#options.urls();
    if (urls.length === 0) return;
    const document = this.#random.pick(this.documents);
    await reader.read(this.#random.pick(urls), document, this.#positionOf(document));
  }

  /** The furthest that any client knows of a document for certain. */
  #positionOf(id: string): RawDocument['position'] {
    return this.opened
      .filter((document) => document.id === id)
      .map(({ position }) => position)
      .reduce((a, b) => ((b?.seq ?? -1) > (a?.seq ?? -1) ? b : a), undefined);
  }

  #record(operation: Operation): void {
    this.#options.record(operation);
    if (operation.kind !== 'push' || operation.outcome !== 'ok') return;
    this.acks++;
    this.#ackedMs.set(`${operation.client} ${operation.document}`, operation.end);
  }

  #ackOf(document: RawDocument): number {
    return this.#ackedMs.get(`${document.client} ${document.id}`) ?? 0;
  }
}
