/**
 * A client's identity on this node. It is the only door of the system: what a channel received is parsed, judged by rights
 * and rates, and handed on to the document that it is for. One call, one answer.
 *
 * Which documents are open, and what becomes of them when they move, is told in `open-documents.ts`.
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
  type DocumentId,
  type OpenNextRequest,
  type PushReply,
  type PushRequest,
  type Refusal,
  type Seq,
  type SessionId,
} from '@homeport/protocol';
import type { Documents } from '../document/document-ref.js';
import { sessionKey } from '../document/session-marks.js';
import type { Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import type { Identity } from './access.js';
import type { Channel } from './channel.js';
import type { Presence } from './presence.js';
import type { OpenDocument } from './open-document.js';
import { OpenDocuments } from './open-documents.js';
import { Rate } from './rate.js';
import type { Revocations } from './revocations.js';

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

export class Session {
  readonly id: SessionId;
  readonly documents: OpenDocuments;
  /** The same for life: a token of another user is refused. */
  readonly #writer: string;
  readonly #channel: Channel;
  readonly #revocations: Revocations;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #settings: SessionSettings;
  readonly #pushRate: Rate;
  readonly #requestRate: Rate;
  readonly #presenceRate: Rate;
  #identity: Identity;

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
    this.#revocations = parts.revocations;
    this.#clock = parts.clock;
    this.#probe = parts.probe;
    this.#settings = parts.settings;
    this.#pushRate = new Rate(parts.clock, parts.settings.pushesPerSecond);
    this.#requestRate = new Rate(parts.clock, parts.settings.requestsPerSecond);
    this.#presenceRate = new Rate(parts.clock, LIMITS.presencePerSecond);
    const { channel, documents, presence, clock } = parts;
    const presented = { session: parts.id, user: parts.identity.user, channel: parts.channelNumber };
    this.documents = new OpenDocuments({ presented, channel, documents, presence, clock });
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
          'next' in request
            ? this.#nextPage(request)
            : this.#withRight(request.document, () => this.documents.open(request, this.#accessTo(request.document))),
        );
      case 'read':
        return this.#request(parseRead(payload), (request) =>
          this.#withRight(request.document, () => this.documents.refOf(request.document).read(request)),
        );
      case 'entries':
        return this.#request(parseEntries(payload), ({ document, from }) =>
          this.#withRight(document, () => this.documents.refOf(document).entries(from)),
        );
      case 'close':
        return Promise.resolve(this.#receiveClose(payload));
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
    for (const open of this.documents.all()) {
      const access = this.#accessTo(open.id);
      if (access !== open.access) this.#tellAccess(open, access);
    }
  }

  /** Called several times a second. A peer that does not read is taken out of its documents; the documents never wait. */
  tick(): void {
    if (this.#identity.isExpired(this.#clock.wallMs())) {
      for (const open of this.documents.all()) this.#tellAccess(open, 'none');
      this.end('unauthenticated');
      return;
    }
    if (this.#channel.bufferedBytes() > this.#settings.bufferBytesMax) this.documents.resumeAll();
  }

  /** Ends the channel, with a word why. */
  end(why: string): void {
    this.closed();
    this.#channel.close(why);
  }

  /** The channel is gone. */
  closed(): void {
    this.documents.end();
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
    const open = this.documents.find(document)!;
    open.unanswered++;
    const { user } = this.#identity;
    const push = { user, session: this.id, writer: this.#writer, opNo, after, base: base ?? (0 as Seq), ops };
    return open.ref.push(push).then((reply) => {
      open.unanswered--;
      const present = this.documents.find(document);
      if (present !== open && reply.ok) present?.acked(opNo);
      this.#probe.pushed(reply.ok ? 'ok' : reply.code, this.#clock.monotonicMs() - startedMs);
      return reply;
    });
  }

  /** Rights are asked on every push. */
  #pushRefusal({ document }: PushRequest): Refusal | undefined {
    const refusal = this.#rightRefusal(document, 'write');
    if (refusal !== undefined) return refusal;
    const open = this.documents.find(document);
    if (!open?.isOpen) return this.documents.notOpen(document);
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

  /** Never too early: a document that its client has done with would stay open. */
  #receiveClose(payload: unknown): object {
    const parsed = parseClose(payload);
    if (!parsed.ok) return parsed;
    this.documents.close(parsed.value.document);
    return { ok: true };
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

  async #nextPage({ document, next }: OpenNextRequest): Promise<object> {
    const open = this.documents.find(document);
    return open?.isOpen ? open.nextPage(next) : refuse.notOpen();
  }

  #receivePresence(payload: unknown): void {
    const parsed = parsePresence(payload);
    if (!parsed.ok || this.#presenceRate.take() > 0) return;
    const { document, state } = parsed.value;
    const open = this.documents.find(document);
    if (open?.isOpen && this.#rightRefusal(document, 'read') === undefined) open.show(state);
  }

  #tellAccess(open: OpenDocument, access: Access | 'none'): void {
    open.access = access;
    this.#channel.send('access', { document: open.id, access });
    if (access === 'none') this.documents.leave(open.id);
  }
}
