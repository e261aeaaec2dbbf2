/**
 * One node of the fake server: sockets, what it believes of owners, and the documented answers: the document, `moved`,
 * or the document in the owner's name.
 */
import {
  LIMITS,
  refuse,
  type EntriesRequest,
  type Epoch,
  type NodeRef,
  type OpenedHead,
  type OpenNextRequest,
  type OpenRequest,
  type Page,
  type PresenceRequest,
  type PushRequest,
  type RecordState,
  type Refusal,
  type Seq,
} from '@homeport/protocol';
import type { FakeDocument } from './fake-document.js';
import type { Accepts, ServerEnd } from './fake-network.js';
import type { FakeServer } from './fake-server.js';

export interface Member {
  readonly user: string;
  readonly session: string;
  readonly open: Map<string, { rest: Page[]; readonly relayed: boolean }>;
}

/** Who has a document, as somebody knows it. */
export interface Ownership {
  readonly owner: NodeRef;
  readonly epoch: Epoch;
}

export class FakeNode implements Accepts {
  readonly name: string;
  state: 'up' | 'hung' | 'cut off' | 'down' = 'up';
  readonly members = new Map<ServerEnd, Member>();
  /** What it believes; it may be behind. */
  readonly map = new Map<string, Ownership>();
  readonly #server: FakeServer;
  #incarnation = 1;

  constructor(name: string, server: FakeServer) {
    this.name = name;
    this.#server = server;
  }

  get ref(): NodeRef {
    return { id: `${this.name}.${this.#incarnation}`, name: this.name, url: this.#server.urlOf(this.name) };
  }

  /** All links break. What it had not committed is the server's to forget. */
  die(): void {
    this.state = 'down';
    for (const end of [...this.members.keys()]) end.cut();
    this.members.clear();
  }

  rise(): void {
    if (this.state === 'hung' || this.state === 'cut off') this.die();
    if (this.state === 'down') this.#incarnation++;
    this.state = 'up';
    this.map.clear();
  }

  accept(end: ServerEnd): object | undefined {
    const { token, session } = end.handshake;
    if (this.#server.tokens === 'refused') return refuse.unauthenticated('no good');
    const user = token ?? 'nobody';
    for (const [other, member] of this.members) {
      if (member.session === session && member.user === user) other.cut();
    }
    this.members.set(end, { user, session: session!, open: new Map() });
    end.send('hello', { node: this.ref, session, user, protocol: 1, limits: LIMITS });
    return undefined;
  }

  gone(end: ServerEnd): void {
    this.members.delete(end);
  }

  receive(end: ServerEnd, event: string, message: object, answer: (reply: object) => void): void {
    const member = this.members.get(end);
    if (this.state === 'cut off') return answer(refuse.unavailable('no database', 100));
    if (member === undefined || this.state !== 'up') return;
    const { document: id } = message as { document: string };
    const mood = this.#mood(event, id);
    if (mood !== undefined) return answer(mood);
    switch (event) {
      case 'open':
        return answer(this.#open(member, message as OpenRequest | OpenNextRequest));
      case 'push': {
        const barred = this.#barred(member, id);
        if (barred !== undefined) return answer(barred);
        if (this.#server.home(id).node === this) return this.#server.push(message as PushRequest, member, answer);
        return this.#server.passOn({ by: this, request: message as PushRequest, member, answer });
      }
      case 'entries': {
        const barred = this.#barred(member, id);
        if (barred !== undefined) return answer(barred);
        const { log } = this.#server.document(id);
        const { from } = message as EntriesRequest;
        const entries = log.slice(from - 1, from - 1 + 1 + this.#server.random.below(20));
        return answer({ ok: true, entries, to: from + entries.length - 1 });
      }
      case 'presence':
        return this.#server.tell(id, 'presence', {
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

  /** The document has left: its sessions hear of it, and are served on in the new owner's name, or not. */
  handOver(id: string, to: Ownership, servesOn: boolean, afterMs: () => number): void {
    this.map.set(id, to);
    for (const [end, member] of this.members) {
      const open = member.open.get(id);
      if (open === undefined || open.relayed) continue;
      if (servesOn) member.open.set(id, { rest: open.rest, relayed: true });
      else member.open.delete(id);
      end.send('moved', { document: id, ...to, afterMs: afterMs() });
    }
  }

  /** Why this node has nothing to say about a document that a member has open, or thinks so. */
  #barred(member: Member, id: string): Refusal | undefined {
    const open = member.open.get(id);
    const { node } = this.#server.home(id);
    if (open === undefined) return node === this || this.map.get(id) === undefined ? refuse.notOpen() : this.#moved(id);
    if (node !== this && !open.relayed) return this.#moved(id);
    return node?.state === 'up' ? undefined : refuse.unavailable('no owner', this.#server.random.below(100));
  }

  #moved(id: string): Refusal {
    const believed = this.#believed(id);
    if (believed.owner.name === this.name) return refuse.unavailable('no owner', this.#server.random.below(100));
    this.#server.counts.redirects++;
    return refuse.moved(believed.owner, believed.epoch, this.#server.random.pick([0, 0, 50]));
  }

  #believed(id: string): Ownership {
    const believed = this.map.get(id);
    // It knows of itself that it is not the owner any more.
    if (believed !== undefined && believed.owner.id !== this.ref.id) return believed;
    return this.#learn(id);
  }

  #learn(id: string): Ownership {
    const { owner, epoch } = this.#server.home(id);
    this.map.set(id, { owner, epoch });
    return { owner, epoch };
  }

  #mood(event: string, id: string): Refusal | undefined {
    const { random, moody } = this.#server;
    if (event === 'presence' || event === 'close' || !random.chance(moody)) return undefined;
    switch (random.below(event === 'push' ? 4 : 2)) {
      case 0:
        return refuse.unavailable('busy', random.below(300));
      case 1: {
        // An old story.
        const owner = random.pick([...this.#server.nodes.values()]).ref;
        const epoch = Math.max(0, this.#server.home(id).epoch - random.below(3)) as Epoch;
        return refuse.moved(
          epoch === this.#server.home(id).epoch ? this.#server.home(id).owner : owner,
          epoch,
          random.below(200),
        );
      }
      case 2:
        return refuse.rateLimited(random.below(200));
      default:
        return refuse.notOpen();
    }
  }

  #open(member: Member, request: OpenRequest | OpenNextRequest): (OpenedHead & Page) | ({ ok: true } & Page) | Refusal {
    const server = this.#server;
    const document = server.document(request.document);
    if ('next' in request) {
      const open = member.open.get(request.document);
      const page = open?.rest.shift();
      if (open === undefined || page === undefined) return refuse.notOpen();
      // Records of a later page are as they are now.
      const keys = Object.keys(page.snapshot?.records ?? {});
      const now = page.snapshot && { snapshot: { records: this.#records(document, keys) } };
      return { ok: true, ...page, ...now, ...(open.rest.length > 0 && { next: open.rest.length }) };
    }
    server.counts.opens++;
    const refusal = this.#turnAway(request);
    if (refusal !== undefined) return refusal;
    const { node, owner, epoch } = server.home(request.document);
    const relayed = node !== this;
    if (relayed) server.counts.relayed++;
    const since = request.since;
    const tail =
      since !== undefined &&
      since.timeline === document.timeline &&
      since.seq <= document.head &&
      server.random.chance(0.7);
    server.counts[tail ? 'tails' : 'snapshots']++;
    const pages = tail ? this.#tailPages(document, since.seq) : this.#snapshotPages(document);
    const [first, ...rest] = pages;
    member.open.set(request.document, { rest, relayed });
    return {
      ok: true,
      position: { timeline: document.timeline, seq: document.head },
      access: server.access,
      owner,
      epoch,
      relayed,
      session: document.recall(member.user, member.session),
      ...first,
      ...(rest.length > 0 && { next: rest.length }),
    };
  }

  #turnAway({ document: id, epoch, pin }: OpenRequest): Refusal | undefined {
    const { node } = this.#server.home(id);
    if (node === this) return undefined;
    if ((this.map.get(id)?.epoch ?? 0) < (epoch ?? 0)) this.#learn(id);
    if (pin !== 'relay') return this.#moved(id);
    if (node?.state === 'up') return undefined;
    return refuse.unavailable('no owner', this.#server.random.below(200));
  }

  #tailPages(document: FakeDocument, since: Seq): Page[] {
    const entries = document.log.slice(since);
    const size = 1 + this.#server.random.below(40);
    const pages: Page[] = [{ tail: entries.slice(0, size) }];
    for (let at = size; at < entries.length; at += size) pages.push({ tail: entries.slice(at, at + size) });
    return pages;
  }

  #snapshotPages(document: FakeDocument): Page[] {
    const keys = [...document.records.keys()].reverse();
    const size = 1 + this.#server.random.below(8);
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
}
