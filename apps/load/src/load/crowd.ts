/**
 * The people of one generator, and the times at which things are due.
 *
 *   joining ── start ──> at work ── quiet ──> settling ── finish ──> done
 *
 * Only at work does anything new become due. Each person belongs to one generator; a board's people are best together,
 * because a frame that many of them get is read once.
 */
import { SeededRandom, until } from '@homeport/testkit';
import type { DocumentId } from '@homeport/protocol';
import { Schedule } from '../measuring/schedule.js';
import { HttpReader } from '../clients/http-reader.js';
import type { RawDocument } from '../clients/raw-document.js';
import { byWire } from '../clients/wire-carrier.js';
import { nowMs } from '../history/operation.js';
import type { Recorder } from '../history/recorder.js';
import { LongestWaits } from './longest-waits.js';
import type { Plan } from './messages.js';
import { Person } from './person.js';
import { sizeOf, type SizeOf } from './scenario.js';
import { Tally } from './tally.js';
import { objection } from './this-machine.js';

const JOINING_AT_ONCE = 50;
/** Each copy is written down so often, and hashed every so many changes. Nothing of what it was shown is left out. */
const COPIES = { everyMs: 500, hashEverySeqs: 1_000 };

interface Duty {
  readonly perSecond: number;
  readonly work: (index: number, dueMs: number) => void;
}

export class Crowd {
  readonly random: SeededRandom;
  readonly size: SizeOf;
  readonly tally = new Tally();
  readonly waits = new LongestWaits();
  readonly people: Person[] = [];
  /** Every document that anybody here ever opened. */
  readonly documents = new Set<DocumentId>();
  /** The nodes that answer over HTTP at present. */
  urls: readonly string[];
  /** How late something was sent that was due, at the worst since this was set back. */
  lateMs = 0;
  /** `nowMs` and `performance.now` are one clock with two zeros. */
  readonly #zeroMs = nowMs() - performance.now();
  readonly #carry = byWire();
  readonly #duties: Duty[] = [];
  readonly #schedules: Schedule[] = [];
  readonly #http: HttpReader;
  #httpUnanswered = 0;
  #isAtWork = false;
  #isOver = false;
  /** How much of what was asked for goes on. */
  #underWay = 0;

  constructor(
    readonly plan: Plan,
    private readonly recorder: Recorder,
    /** Something was seen that must never be. */
    readonly violation: (document: DocumentId, says: string) => void,
  ) {
    this.size = sizeOf(plan.sizes);
    this.random = new SeededRandom(plan.seed + plan.index);
    this.urls = plan.urls;
    this.#http = new HttpReader(`http-${plan.index}`, (operation) => recorder.record(operation), plan.token);
  }

  get trouble(): string | undefined {
    return this.people.map((person) => person.trouble).find((trouble) => trouble !== undefined);
  }
  get waiting(): number {
    return this.people.reduce((sum, person) => sum + person.waiting, 0);
  }

  /** Which of `count` are this generator's. */
  mine(count: number): number[] {
    const { index, generators } = this.plan;
    return Array.from({ length: count }, (_, i) => i).filter((i) => i % generators === index);
  }

  document(name: string): DocumentId {
    return `${this.plan.prefix}${name}`;
  }

  /** Somebody more, with these documents open. */
  join(name: string, documents: readonly DocumentId[], pin: 'redirect' | 'relay' = 'redirect', opens?: string): Person {
    const { urls, token, index, ownsSystem } = this.plan;
    const person = new Person(
      {
        ...{ name, pin, urls, startAt: this.people.length + index, carry: this.#carry, copies: COPIES },
        ...(token !== undefined && { token }),
        // A tunnel or a balancer on this machine may lead to nodes that are not.
        ...(!ownsSystem && { objection }),
        session: `${name}-${this.random.id()}`,
        record: (operation) => this.recorder.record(operation),
      },
      this.tally,
      this.waits,
      opens,
    );
    for (const document of documents) this.open(person, document);
    this.people.push(person);
    return person;
  }

  open(person: Person, document: DocumentId): RawDocument {
    this.documents.add(document);
    return person.open(document);
  }

  /** Forgets what the person knew of the document, and opens it anew. */
  reopen(person: Person, document: DocumentId): RawDocument {
    person.leave(document);
    return this.open(person, document);
  }

  /** Makes people, so many at a time, and resolves when all of them have their documents open. */
  async joinAll<Item>(items: readonly Item[], join: (item: Item) => Person): Promise<Person[]> {
    const people: Person[] = [];
    for (let at = 0; at < items.length; at += JOINING_AT_ONCE) {
      const some = items.slice(at, at + JOINING_AT_ONCE).map(join);
      people.push(...some);
      await this.until('the documents to be open', () => some.every(({ isOpen }) => isOpen));
    }
    return people;
  }

  /** Who it is happens to be relayed: so many of a hundred, spread evenly. */
  pinOf(index: number, relayedPercent: number): 'redirect' | 'relay' {
    const relayedBefore = (count: number): number => Math.floor((count * relayedPercent) / 100);
    return relayedBefore(index + 1) > relayedBefore(index) ? 'relay' : 'redirect';
  }

  /** `work` is due so often, evenly, all this generator's people together; `index` counts 0, 1, 2 … */
  atRate(perSecond: number, work: Duty['work']): void {
    if (perSecond <= 0) return;
    const duty = { perSecond, work };
    this.#duties.push(duty);
    if (this.#isAtWork) this.#begin(duty, 0);
  }

  /** A node that answers over HTTP, another than `besides` where there is one; undefined where none is up. */
  nodeUrl(besides?: string): string | undefined {
    const others = this.urls.filter((url) => url !== besides);
    const urls = others.length > 0 ? others : this.urls;
    return urls.length > 0 ? this.random.pick(urls) : undefined;
  }

  /** Never rejects: an answer that does not come is counted as such, also where there is no node to ask. */
  async readOverHttp(
    document: RawDocument,
    dueMs: number,
    kind = 'http read',
    url = this.nodeUrl(),
  ): Promise<number | undefined> {
    this.#httpUnanswered++;
    const seq = url === undefined ? undefined : await this.#http.read(url, document.id, document.position);
    this.#httpUnanswered--;
    if (seq === undefined) this.tally.unknown(kind);
    else this.tally.ok(kind, nowMs() - dueMs);
    return seq;
  }

  /** Rejects when it does not come in the patience of the run, or at once when somebody can not go on, or all is over. */
  until(what: string, holds: () => boolean): Promise<void> {
    return this.#until(what, () => {
      if (this.#isOver) throw new Error('the run is over');
      return holds();
    });
  }

  #until(what: string, holds: () => boolean): Promise<void> {
    return until(this.plan.patienceMs, what, () => {
      if (this.trouble !== undefined) throw new Error(this.trouble);
      return holds();
    });
  }

  // ── the course of the run ────────────────────────────────────────────────────────────────────────────────────────

  /** What people do before the run, or at once in it. It may be cut off: then they begin nothing new, and all is quiet after it. */
  async does(work: Promise<void> | undefined): Promise<void> {
    this.#underWay++;
    try {
      await work;
    } finally {
      this.#underWay--;
    }
  }

  start(): void {
    this.#isAtWork = true;
    for (const duty of this.#duties) this.#begin(duty, this.plan.rampMs);
  }

  /** Answers what did not come, if so. */
  async quiet(): Promise<string | undefined> {
    this.#isAtWork = false;
    this.#isOver = true;
    for (const schedule of this.#schedules) schedule.stop();
    return missing(
      this.#until('every push and read to be answered', () => {
        if (this.#underWay > 0 || this.#httpUnanswered > 0) return false;
        return this.people.every(({ unsettled }) => unsettled === 0);
      }),
    );
  }

  /** Waits for the answers to everything that was due until now. Answers what did not come, if so. */
  flow(): Promise<string | undefined> {
    const now = nowMs();
    return missing(
      this.#until('the answers to what was due', () =>
        this.people.every((person) => person.isOpen && person.oldestDueMs > now),
      ),
    );
  }

  /** All copies come to the heads, and are written down as they stand. Answers what did not come, if so. */
  async finish(heads: ReadonlyMap<DocumentId, number> | null): Promise<string | undefined> {
    const opened = this.people.flatMap(({ documents }) => documents);
    const left = await missing(
      this.#until('all copies to reach the head', () =>
        opened.every(({ id, copy }) => heads === null || copy.seq === (heads.get(id) ?? 0)),
      ),
    );
    const [torn] = opened.flatMap((document) => document.recordFinal() ?? []);
    for (const person of this.people) person.close();
    return left ?? torn;
  }

  #begin({ perSecond, work }: Duty, rampMs: number): void {
    const send = (index: number, intendedMs: number): void => {
      const dueMs = intendedMs + this.#zeroMs;
      this.lateMs = Math.max(this.lateMs, nowMs() - dueMs);
      work(index, dueMs);
    };
    this.#schedules.push(new Schedule(perSecond, send, rampMs));
  }
}

async function missing(waiting: Promise<void>): Promise<string | undefined> {
  try {
    await waiting;
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}
