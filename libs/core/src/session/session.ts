/**
 * A client's identity on this node, and the documents that it has open. It is the only door of the system: what a
 * channel received is parsed, judged by rights and rates, and handed on. One call, one answer.
 *
 * Of each document it is in one state:
 *
 *   closed ── open ──> opening ── joined ──> open ── close, no right, too slow, channel gone ──> closed
 *
 * An open that was overtaken by another one, or by a close, finds that it is no longer the one in the map, and ends.
 */
import {
  LIMITS,
  parseClose,
  parseEntries,
  parseOpen,
  parsePresence,
  parsePush,
  parseRead,
  refuse,
  type Access,
  type AccessChange,
  type DocumentId,
  type JsonObject,
  type OpenNextRequest,
  type OpenRequest,
  type PushReply,
  type PushRequest,
  type Refusal,
  type Seq,
  type SessionId,
} from '@homeport/protocol';
import type { Pages } from '../document/catch-up.js';
import type { DocumentRef, Documents } from '../document/document-ref.js';
import { slotOf, type LostSlot, type Slot } from '../document/slot.js';
import type { Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import type { Identity } from './access.js';
import type { Channel } from './channel.js';
import type { Departures } from './departures.js';
import type { Presence } from './presence.js';
import type { Revocations } from './revocations.js';
import { sessionKey } from '../document/session-marks.js';
import { Rate } from './rate.js';

export interface SessionSettings {
  readonly pushesPerSecond: number;
  /** Opens, reads and fetches of one session. */
  readonly requestsPerSecond: number;
  /** A channel that has not taken this much leaves its documents and is told to resume. */
  readonly bufferBytesMax: number;
}

export const DEFAULT_SESSION_SETTINGS: SessionSettings = {
  pushesPerSecond: 2_000,
  requestsPerSecond: 500,
  bufferBytesMax: 1024 * 1024,
};

interface OpenDocument {
  readonly ref: DocumentRef;
  readonly pin: 'redirect' | 'relay';
  state: 'opening' | 'open';
  /** As the client was told, or will be by the reply. */
  access: Access | 'none';
  /** `parting`: it lives here, and is about to go; what its next owner publishes is heard already. */
  lives: 'here' | 'parting' | 'elsewhere';
  /** What this session shows of itself on it. */
  shown: JsonObject | null;
  /** The highest opNo that was acknowledged while this was being opened. */
  ackedMeanwhile: number;
  rest: Pages | undefined;
  pages: number;
  unanswered: number;
}

export class Session {
  readonly id: SessionId;
  readonly channelNumber: number;
  /** The same for life: a token of another user is refused. */
  readonly #writer: string;
  readonly #channel: Channel;
  readonly #documents: Documents;
  readonly #presence: Presence;
  readonly #revocations: Revocations;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #settings: SessionSettings;
  readonly #pushRate: Rate;
  readonly #requestRate: Rate;
  readonly #presenceRate: Rate;
  readonly #open = new Map<DocumentId, OpenDocument>();
  /** What was let go of here, the latest: what is still pushed here is told where it went. */
  readonly #moved = new Map<DocumentId, Refusal>();
  #identity: Identity;
  #isClosed = false;

  constructor(parts: {
    readonly id: SessionId;
    readonly identity: Identity;
    readonly channel: Channel;
    readonly channelNumber: number;
    readonly documents: Documents;
    readonly presence: Presence;
    readonly revocations: Revocations;
    readonly clock: Clock;
    readonly probe: Probe;
    readonly settings: SessionSettings;
  }) {
    this.id = parts.id;
    this.#identity = parts.identity;
    this.#writer = sessionKey(parts.identity.user, parts.id);
    this.#channel = parts.channel;
    this.channelNumber = parts.channelNumber;
    this.#documents = parts.documents;
    this.#presence = parts.presence;
    this.#revocations = parts.revocations;
    this.#clock = parts.clock;
    this.#probe = parts.probe;
    this.#settings = parts.settings;
    this.#pushRate = new Rate(parts.clock, parts.settings.pushesPerSecond);
    this.#requestRate = new Rate(parts.clock, parts.settings.requestsPerSecond);
    this.#presenceRate = new Rate(parts.clock, LIMITS.presencePerSecond);
  }

  get user(): string {
    return this.#identity.user;
  }

  /** One message, in the tick in which it came. Answers what the acknowledgement gets; undefined: there is none. */
  receive(event: string, payload: unknown): Promise<object> | undefined {
    switch (event) {
      case 'push':
        return this.#receivePush(payload);
      case 'presence':
        this.#receivePresence(payload);
        return undefined;
      case 'open':
        return this.#request(parseOpen(payload), (request) =>
          'next' in request ? this.#nextPage(request) : this.#openDocument(request),
        );
      case 'read':
        return this.#request(parseRead(payload), (request) =>
          this.#withRight(request.document, () => this.#refOf(request.document).read(request)),
        );
      case 'entries':
        return this.#request(parseEntries(payload), ({ document, from }) =>
          this.#withRight(document, () => this.#refOf(document).entries(from)),
        );
      case 'close':
        return this.#request(parseClose(payload), async ({ document }) => {
          this.#leave(document);
          this.#moved.delete(document);
          return { ok: true };
        });
      default:
        return Promise.resolve(refuse.invalid('', 'there is no such event'));
    }
  }

  /** A fresh token was shown. */
  renew(identity: Identity): Refusal | undefined {
    if (identity.user !== this.#identity.user) return refuse.forbidden('the token is of another user');
    this.#identity = identity;
    this.reviewRights();
    return undefined;
  }

  /** Rights may have changed. Those that did are told; documents without a right are left. */
  reviewRights(): void {
    for (const [document, open] of [...this.#open]) {
      const access = this.#accessTo(document);
      if (access === open.access) continue;
      open.access = access;
      this.#tellAccess({ document, access });
    }
  }

  /** Called several times a second. A peer that does not read is taken out of its documents; the documents never wait. */
  tick(): void {
    if (this.#identity.isExpired(this.#clock.wallMs())) {
      for (const document of [...this.#open.keys()]) this.#tellAccess({ document, access: 'none' });
      this.end('unauthenticated');
      return;
    }
    if (this.#channel.bufferedBytes() <= this.#settings.bufferBytesMax) return;
    for (const document of [...this.#open.keys()]) {
      this.#leave(document);
      this.#channel.send('resume', { document });
    }
  }

  /** Documents that other nodes have by now, and that are served here until their session, which was told, goes there. */
  get parted(): number {
    let count = 0;
    for (const { pin, lives } of this.#open.values()) if (pin === 'redirect' && lives === 'elsewhere') count++;
    return count;
  }

  /** Some slots are about to move: what is published of their documents by other nodes reaches the channel beforehand. */
  async listenAhead(isMoving: (slot: Slot) => boolean): Promise<void> {
    const moving = [...this.#open].filter(([document, { state, lives, pin, rest }]) => {
      // Whoever is still being given pages is given them anew.
      const canFollow = state === 'open' && lives === 'here' && pin === 'redirect' && rest === undefined;
      return canFollow && isMoving(slotOf(document));
    });
    await Promise.all(
      moving.map(async ([document, open]) => {
        const isHeard = await this.#channel.joinRelayed(document).then(
          () => true,
          () => false,
        );
        if (this.#open.get(document) === open) {
          if (!isHeard) return;
          open.lives = 'parting';
          if (!isMoving(slotOf(document))) this.#stay(document, open);
        } else if (!this.#open.has(document)) this.#channel.leave(document);
      }),
    );
  }

  /** What was about to move, and did not. */
  stayed(isMoving: (slot: Slot) => boolean): void {
    for (const [document, open] of this.#open)
      if (open.lives === 'parting' && !isMoving(slotOf(document))) this.#stay(document, open);
  }

  /**
   * These slots are other nodes' now. A session that can go there is told where, and is served here meanwhile if it hears
   * the new owner; one that is pinned here opens again, and is relayed. `pace`: not all of them come to the new owner at
   * once.
   */
  moved(lost: ReadonlyMap<Slot, LostSlot>, pace: Departures): void {
    for (const [document, open] of [...this.#open]) {
      const slot = lost.get(slotOf(document));
      if (slot === undefined || open.state !== 'open' || open.lives === 'elsewhere') continue;
      const { owner, epoch } = slot;
      const isFollowed = owner !== undefined && open.lives === 'parting' && open.ref.follow();
      if (isFollowed) {
        open.lives = 'elsewhere';
        if (open.shown !== null) this.#present(document, open);
      } else this.#leave(document);
      if (open.pin === 'relay' || owner === undefined) {
        this.#channel.send('resume', { document });
        continue;
      }
      const afterMs = pace.afterMs(isFollowed);
      if (!isFollowed) this.#letGo(document, refuse.moved(owner, epoch, afterMs));
      this.#channel.send('moved', { document, owner, epoch, afterMs });
    }
  }

  /** These documents live here now: who was relayed opens again, and is served directly. */
  cameHome(isHere: (document: DocumentId) => boolean): void {
    for (const [document, open] of [...this.#open]) {
      if (open.state !== 'open' || open.lives !== 'elsewhere' || !isHere(document)) continue;
      this.#leave(document);
      this.#channel.send('resume', { document });
    }
  }

  /** Ends the channel, with a word why. */
  end(why: string): void {
    this.closed();
    this.#channel.close(why);
  }

  /** The channel is gone. */
  closed(): void {
    this.#isClosed = true;
    for (const document of [...this.#open.keys()]) this.#leave(document);
  }

  // ── push, the hot path ───────────────────────────────────────────────────────────────────────────────────────────

  #receivePush(payload: unknown): Promise<PushReply> {
    const startedMs = this.#clock.monotonicMs();
    const parsed = parsePush(payload);
    const refusal = parsed.ok ? this.#pushRefusal(parsed.value) : parsed;
    if (refusal !== undefined) {
      this.#probe.pushed(refusal.code, 0);
      return Promise.resolve(refusal);
    }
    const { document, opNo, after, base, ops } = (parsed as Extract<typeof parsed, { value: unknown }>).value;
    const open = this.#open.get(document)!;
    open.unanswered++;
    const { user } = this.#identity;
    const push = { user, session: this.id, writer: this.#writer, opNo, after, base: base ?? (0 as Seq), ops };
    return open.ref.push(push).then((reply) => {
      open.unanswered--;
      const present = this.#open.get(document);
      if (present !== undefined && present !== open && reply.ok)
        present.ackedMeanwhile = Math.max(present.ackedMeanwhile, opNo);
      this.#probe.pushed(reply.ok ? 'ok' : reply.code, this.#clock.monotonicMs() - startedMs);
      return reply;
    });
  }

  /** Rights are asked on every push. */
  #pushRefusal({ document }: PushRequest): Refusal | undefined {
    const refusal = this.#rightRefusal(document, 'write');
    if (refusal !== undefined) return refusal;
    const open = this.#open.get(document);
    if (open?.state !== 'open') return this.#moved.get(document) ?? refuse.notOpen();
    if (open.unanswered >= LIMITS.pendingPushes) return refuse.rateLimited(50);
    const waitMs = this.#pushRate.take();
    return waitMs > 0 ? refuse.rateLimited(waitMs) : undefined;
  }

  // ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async #request<T>(
    parsed: { readonly ok: true; readonly value: T } | Refusal,
    answer: (request: T) => Promise<object>,
  ): Promise<object> {
    if (!parsed.ok) return parsed;
    const waitMs = this.#requestRate.take();
    return waitMs > 0 ? refuse.rateLimited(waitMs) : answer(parsed.value);
  }

  async #withRight(document: DocumentId, answer: () => Promise<object>): Promise<object> {
    return this.#rightRefusal(document, 'read') ?? answer();
  }

  /** The same answer for a document that is absent and one that is hidden. */
  #rightRefusal(document: DocumentId, wanted: 'read' | 'write'): Refusal | undefined {
    if (this.#identity.isExpired(this.#clock.wallMs())) return refuse.unauthenticated('the token has run out');
    const access = this.#accessTo(document);
    if (access === 'write' || access === wanted) return undefined;
    return refuse.forbidden(
      access === 'none' ? 'no right to this document' : 'the right to this document is read only',
    );
  }

  #accessTo(document: DocumentId): Access | 'none' {
    return this.#revocations.accessTo(this.#identity, document);
  }

  #refOf(document: DocumentId): DocumentRef {
    return this.#open.get(document)?.ref ?? this.#documents.open(document, 'redirect');
  }

  async #openDocument({ document, since, epoch: heardOf, pin = 'redirect' }: OpenRequest): Promise<object> {
    const refusal = this.#rightRefusal(document, 'read');
    if (refusal !== undefined) return refusal;
    if (!this.#open.has(document) && this.#open.size >= LIMITS.documentsPerSession)
      return refuse.tooLarge('documentsPerSession', `a session opens at most ${LIMITS.documentsPerSession} documents`);
    this.#leave(document);
    this.#moved.delete(document);
    const ref = this.#documents.open(document, pin);
    const mine: OpenDocument = {
      ref,
      pin,
      state: 'opening',
      access: this.#accessTo(document),
      lives: 'here',
      shown: null,
      ackedMeanwhile: 0,
      rest: undefined,
      pages: 0,
      unanswered: 0,
    };
    this.#open.set(document, mine);
    const isMine = (): boolean => !this.#isClosed && this.#open.get(document) === mine;
    if (heardOf !== undefined) await this.#documents.catchUp(document, heardOf);
    const opened = await ref.open({
      since,
      user: this.user,
      session: this.id,
      join: () => {
        if (!isMine()) return false;
        this.#channel.join(document);
        mine.state = 'open';
        return true;
      },
      joinRelayed: async () => {
        if (!isMine()) return false;
        await this.#channel.joinRelayed(document);
        return isMine();
      },
    });
    if ('ok' in opened) {
      if (this.#open.get(document) === mine) this.#open.delete(document);
      if (!this.#open.has(document)) this.#channel.leave(document);
      return opened;
    }
    if (opened.relayed) {
      // It is of a moment before an ack that has overtaken it: it would look like a history that was lost.
      const isOvertaken = opened.session.accepted < mine.ackedMeanwhile;
      // Nobody else sees to it that a document that was closed meanwhile is left there.
      if (!isMine() || isOvertaken) {
        ref.leave();
        if (isMine()) this.#open.delete(document);
        if (!this.#open.has(document)) this.#channel.leave(document);
        return refuse.unavailable(isOvertaken ? 'it changed meanwhile; ask again' : 'the session went away', 0);
      }
      mine.lives = 'elsewhere';
      mine.state = 'open';
    }
    if (opened.page.next !== undefined) mine.rest = opened.rest;
    // Once the reply has left: a client knows the document by the reply.
    this.#clock.after(0, () => {
      if (this.#open.get(document) !== mine) return;
      if (mine.lives === 'elsewhere') this.#documents.askPresence(document);
      else this.#channel.send('presence', this.#presence.full(document));
    });
    const { access } = mine;
    const { position, owner, epoch, relayed, session, page } = opened;
    return { ok: true, position, access, owner, epoch, relayed, session, ...page };
  }

  async #nextPage({ document, next }: OpenNextRequest): Promise<object> {
    const open = this.#open.get(document);
    if (open?.state !== 'open') return refuse.notOpen();
    if (open.rest === undefined || next !== open.pages + 1) return refuse.invalid('next', 'that page was not offered');
    const reply = await open.ref.nextPage(open.rest);
    if (!('page' in reply)) return reply;
    open.pages++;
    if (reply.page.next === undefined) open.rest = undefined;
    return { ok: true, ...reply.page };
  }

  #receivePresence(payload: unknown): void {
    const parsed = parsePresence(payload);
    if (!parsed.ok || this.#presenceRate.take() > 0) return;
    const { document, state } = parsed.value;
    const open = this.#open.get(document);
    if (open?.state !== 'open' || this.#rightRefusal(document, 'read')) return;
    open.shown = state;
    this.#present(document, open);
  }

  #present(document: DocumentId, open: OpenDocument): void {
    const shown = { session: this.id, user: this.user, channel: this.channelNumber, state: open.shown };
    if (open.lives === 'elsewhere') this.#documents.present(document, shown);
    else this.#presence.show(document, shown);
  }

  #tellAccess(change: AccessChange): void {
    this.#channel.send('access', change);
    if (change.access === 'none') this.#leave(change.document);
  }

  #leave(document: DocumentId): void {
    const open = this.#open.get(document);
    if (open === undefined) return;
    this.#open.delete(document);
    if (open.state !== 'open') return;
    open.shown = null;
    this.#present(document, open);
    this.#channel.leave(document);
    open.ref.leave();
  }

  #letGo(document: DocumentId, moved: Refusal): void {
    this.#moved.set(document, moved);
    const [oldest] = this.#moved.keys();
    if (this.#moved.size > LIMITS.documentsPerSession) this.#moved.delete(oldest!);
  }

  /** Out of what others publish and back into what is delivered here, in one tick: no frame falls between the two. */
  #stay(document: DocumentId, open: OpenDocument): void {
    this.#channel.leave(document);
    this.#channel.join(document);
    open.lives = 'here';
  }
}
