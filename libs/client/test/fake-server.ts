/** The documented wire on fake documents: sessions, opens with pages, coalesced frames, beacons, and bad manners. */
import {
  LIMITS,
  refuse,
  type Entry,
  type EntriesRequest,
  type Epoch,
  type OpenedHead,
  type OpenNextRequest,
  type OpenRequest,
  type Page,
  type PresenceRequest,
  type PushReply,
  type PushRequest,
  type RecordState,
  type Refusal,
  type Seq,
} from '@homeport/protocol';
import type { FakeClock } from './fake-clock.js';
import { FakeDocument } from './fake-document.js';
import type { Accepts, ServerEnd } from './fake-network.js';
import type { SeededRandom } from './seeded-random.js';

export const NODE = { id: 'n.1', name: 'n', url: 'http://n' };

interface Member {
  readonly user: string;
  readonly session: string;
  readonly open: Map<string, { rest: Page[] }>;
}

export class FakeServer implements Accepts {
  readonly documents = new Map<string, FakeDocument>();
  /** Share of requests that are refused for a while, moved, or kicked out. */
  moody = 0;
  commitMaxMs = 30;
  /** No commits; beacons go on. */
  storage: 'up' | 'away' = 'up';
  tokens: 'any' | 'refused' = 'any';
  access: 'read' | 'write' = 'write';
  readonly counts = { opens: 0, pushes: 0, refusals: 0, crashes: 0, snapshots: 0, tails: 0 };
  readonly #clock: FakeClock;
  readonly #random: SeededRandom;
  readonly #members = new Map<ServerEnd, Member>();
  #unsent: { id: string; entries: readonly Entry[] }[] = [];

  constructor(clock: FakeClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
    this.#beacon();
  }

  document(id: string): FakeDocument {
    const known = this.documents.get(id) ?? new FakeDocument();
    this.documents.set(id, known);
    return known;
  }

  accept(end: ServerEnd): object | undefined {
    const { token, session } = end.handshake;
    if (this.tokens === 'refused') return refuse.unauthenticated('no good');
    const user = token ?? 'nobody';
    for (const [other, member] of this.#members) {
      if (member.session === session && member.user === user) other.cut();
    }
    this.#members.set(end, { user, session: session!, open: new Map() });
    end.send('hello', { node: NODE, session, user, protocol: 1, limits: LIMITS });
    return undefined;
  }

  gone(end: ServerEnd): void {
    this.#members.delete(end);
  }

  receive(end: ServerEnd, event: string, message: object, answer: (reply: object) => void): void {
    const member = this.#members.get(end);
    if (member === undefined) return;
    const { document: id } = message as { document: string };
    const mood = this.#mood(event);
    if (mood !== undefined) return answer(mood);
    switch (event) {
      case 'open':
        return answer(this.#open(member, message as OpenRequest | OpenNextRequest));
      case 'push': {
        if (!member.open.has(id)) return answer(refuse.notOpen());
        const document = this.document(id);
        const idle = !document.waits;
        const reply = (told: PushReply): void => {
          if (!told.ok) this.counts.refusals++;
          answer(told);
        };
        this.counts.pushes++;
        document.push(message as PushRequest, member.user, member.session, reply);
        if (idle && document.waits) this.#commitLater(id, document);
        return;
      }
      case 'entries': {
        const { log } = this.document(id);
        const { from } = message as EntriesRequest;
        const entries = log.slice(from - 1, from - 1 + 1 + this.#random.below(20));
        return answer({ ok: true, entries, to: from + entries.length - 1 });
      }
      case 'presence':
        return this.tell(id, 'presence', {
          document: id,
          full: false,
          sessions: { [member.session]: { user: member.user, channel: 1, state: (message as PresenceRequest).state } },
        });
      case 'close':
        member.open.delete(id);
        return answer({ ok: true });
      case 'token':
        return answer({ ok: true, expiresAt: null });
    }
  }

  /** The process dies and comes back: all links break, what was not committed never was. */
  restart(change: (document: FakeDocument) => void = (document) => document.crash()): void {
    this.counts.crashes++;
    this.#unsent = [];
    for (const end of [...this.#members.keys()]) end.cut();
    for (const document of this.documents.values()) change(document);
  }

  /** Somebody was too slow. */
  kick(): void {
    const member = this.#random.pick([...this.#members]);
    const id = member && [...member[1].open.keys()][0];
    if (id === undefined) return;
    member[1].open.delete(id);
    member[0].send('resume', { document: id });
  }

  #mood(event: string): Refusal | undefined {
    if (event === 'presence' || !this.#random.chance(this.moody)) return undefined;
    switch (this.#random.below(event === 'push' ? 4 : 2)) {
      case 0:
        return refuse.unavailable('busy', this.#random.below(300));
      case 1:
        return refuse.moved(NODE, this.#random.below(3) as Epoch, this.#random.below(200));
      case 2:
        return refuse.rateLimited(this.#random.below(200));
      default:
        return refuse.notOpen();
    }
  }

  #open(member: Member, request: OpenRequest | OpenNextRequest): (OpenedHead & Page) | ({ ok: true } & Page) | Refusal {
    const document = this.document(request.document);
    if ('next' in request) {
      const rest = member.open.get(request.document)?.rest;
      const page = rest?.shift();
      if (rest === undefined || page === undefined) return refuse.notOpen();
      // Records of a later page are as they are now.
      const keys = Object.keys(page.snapshot?.records ?? {});
      const now = page.snapshot && { snapshot: { records: this.#records(document, keys) } };
      return { ok: true, ...page, ...now, ...(rest.length > 0 && { next: rest.length }) };
    }
    this.counts.opens++;
    const since = request.since;
    const tail =
      since !== undefined &&
      since.timeline === document.timeline &&
      since.seq <= document.head &&
      this.#random.chance(0.7);
    this.counts[tail ? 'tails' : 'snapshots']++;
    const pages = tail ? this.#tailPages(document, since.seq) : this.#snapshotPages(document);
    const [first, ...rest] = pages;
    member.open.set(request.document, { rest });
    return {
      ok: true,
      position: { timeline: document.timeline, seq: document.head },
      access: this.access,
      owner: NODE,
      epoch: 1 as Epoch,
      relayed: false,
      session: document.recall(member.user, member.session),
      ...first,
      ...(rest.length > 0 && { next: rest.length }),
    };
  }

  #tailPages(document: FakeDocument, since: Seq): Page[] {
    const entries = document.log.slice(since);
    const size = 1 + this.#random.below(40);
    const pages: Page[] = [{ tail: entries.slice(0, size) }];
    for (let at = size; at < entries.length; at += size) pages.push({ tail: entries.slice(at, at + size) });
    return pages;
  }

  #snapshotPages(document: FakeDocument): Page[] {
    const keys = [...document.records.keys()].reverse();
    const size = 1 + this.#random.below(8);
    const pages: Page[] = [{ snapshot: { records: this.#records(document, keys.slice(0, size)) } }];
    for (let at = size; at < keys.length; at += size) {
      pages.push({ snapshot: { records: this.#records(document, keys.slice(at, at + size)) } });
    }
    return pages;
  }

  #records(document: FakeDocument, keys: readonly string[]): Record<string, RecordState> {
    const records: Record<string, RecordState> = {};
    for (const key of keys) {
      const record = document.records.get(key);
      if (record !== undefined) records[key] = { value: record.value, seq: record.seq };
    }
    return records;
  }

  #commitLater(id: string, document: FakeDocument): void {
    this.#clock.after(this.#random.next() * this.commitMaxMs, () => {
      if (!document.waits) return;
      if (this.storage === 'away') return this.#commitLater(id, document);
      this.#unsent.push({ id, entries: document.commit() });
      this.#clock.after(this.#random.pick([0, 0, 16]), () => this.#frames());
    });
  }

  /** What was committed meanwhile leaves as one frame per document. */
  #frames(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const id of new Set(unsent.map((batch) => batch.id))) {
      const entries = unsent.filter((batch) => batch.id === id).flatMap((batch) => batch.entries);
      const [from, to] = [entries[0]?.seq, entries.at(-1)?.seq];
      this.tell(id, 'entries', { document: id, from, to, entries });
    }
  }

  /** To everybody who has the document open. */
  tell(id: string, event: string, payload: object): void {
    for (const [end, member] of [...this.#members]) if (member.open.has(id)) end.send(event, payload);
  }

  #beacon(): void {
    this.#clock.after(1_000, () => {
      for (const [id, document] of this.documents) {
        const held = this.#unsent.find((batch) => batch.id === id)?.entries[0]?.seq;
        this.tell(id, 'head', { document: id, seq: held === undefined ? document.head : held - 1 });
      }
      this.#beacon();
    });
  }
}
