/**
 * A client: one session, any number of open documents, and a connection to each node that one of them needs.
 *
 * It owns the session id and the connections, and hands the servers' messages to the documents that they name. When
 * anything changes in connections or in what is known of owners, every document decides anew where it is to be open, once
 * for all that happened in one turn of the event loop; then the connections that nobody needs are let go. The session id is made in memory and shared by all documents, so
 * a document whose session has ended (`expired`, lost history) asks for a new one here: the client lets the others get
 * their answers under the old id first, then dials again with a new one.
 */
import { isDocumentId, type SessionId } from '@homeport/protocol';
import { Board } from './board.js';
import type { Channel } from './channel.js';
import { ClientDocument } from './client-document.js';
import { systemClock, type Cancel, type Clock } from './clock.js';
import { Connections } from './connections.js';
import { clientStatus } from './client-status.js';
import type { Dialer } from './dialer.js';
import { HomeportError } from './homeport-error.js';
import { Listeners } from './listeners.js';
import { systemRandom, type Random } from './random.js';
import type { AnyRecords, PresenceFields } from './record-types.js';
import { socketIoDialer } from './socket-io-dialer.js';
import type { ClientStatus } from './status.js';
import { Tokens, type TokenFunction } from './tokens.js';

export interface ClientOptions {
  /**
   * Where the server is, as `http://host:port`; of a cluster, any of its nodes, or several of them. On a web page: where
   * the page came from, if left out.
   */
  readonly url?: string | readonly string[];
  /** A token, or what fetches one: it is called again whenever a new one is needed. */
  readonly token?: string | TokenFunction;
  /** Writes made within one such span leave as one push. */
  readonly frameMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly dialer?: Dialer;
}

export interface OpenOptions<State extends PresenceFields = PresenceFields> {
  /** What the others see of us, until `presence.set` says more. */
  readonly presence?: Partial<State>;
  /** Gives up opening, or closes the board. */
  readonly signal?: AbortSignal;
}

/** How long a session that ends waits for the answers of the documents that still have some to come. */
export const RETIRING_MS = 15_000;

export function createClient(options: ClientOptions = {}): Client {
  return new Client(options);
}

export class Client {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #frameMs: number;
  readonly #connections: Connections;
  readonly #documents = new Map<string, ClientDocument>();
  /** The highest opNo used in documents that were closed: a number is never used twice in one session. */
  readonly #usedOpNos = new Map<string, number>();
  readonly #errors: Listeners<HomeportError>;
  readonly #statusChanges: Listeners<ClientStatus>;
  readonly #stopListening: Cancel;
  #session: SessionId;
  #isDeciding = false;
  #retiring: Cancel | undefined;
  #status: ClientStatus;

  constructor(options: ClientOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#frameMs = options.frameMs ?? 16;
    this.#session = this.#random.id();
    this.#errors = new Listeners((error) => console.error(error));
    this.#statusChanges = new Listeners((error) => this.#report(error));
    const tokens = new Tokens(options.token, {
      clock: this.#clock,
      random: this.#random,
      failed: (error) => this.#report(tokenError(error)),
    });
    this.#connections = new Connections(urlsOf(options.url), {
      clock: this.#clock,
      random: this.#random,
      dialer: options.dialer ?? socketIoDialer,
      tokens,
      session: () => this.#session,
      changed: () => this.#changed(),
      received: (channel, event, payload) => this.#received(channel, event, payload),
      ended: (channel) => this.#ended(channel),
      isUsed: (connection) => [...this.#documents.values()].some((document) => document.uses(connection)),
    });
    this.#status = clientStatus(this.#connections.state, this.#session);
    this.#stopListening = listenForNetwork(() => this.#connections.wake());
    this.#connections.start();
  }

  get status(): ClientStatus {
    return this.#status;
  }

  subscribeStatus(listener: (status: ClientStatus) => void): Cancel {
    return this.#statusChanges.add(listener);
  }

  /** Hears of refused writes that nobody awaited, failed token fetches, and listeners that threw. */
  onError(listener: (error: HomeportError) => void): Cancel {
    return this.#errors.add(listener);
  }

  /**
   * Resolves when the document is shown as of some position. Goes on trying while the server can not be reached
   * (`signal` ends that); rejects when it refuses. A document can be open once in a client.
   */
  async open<Records = AnyRecords, State extends PresenceFields = PresenceFields>(
    id: string,
    options: OpenOptions<State> = {},
  ): Promise<Board<Records, State>> {
    options.signal?.throwIfAborted();
    if (!isDocumentId(id)) {
      throw new HomeportError('invalid', `${JSON.stringify(id)} is no document id`, { path: 'document' });
    }
    if (this.#documents.has(id)) {
      throw new HomeportError('invalid', `${id} is open in this client already: share its board`, { path: 'document' });
    }
    if (this.#status.connection === 'closed') throw new HomeportError('closed', 'the client is closed');
    const document = this.#make(id, options.presence as PresenceFields | undefined);
    this.#documents.set(id, document);
    const abort = (): void => document.close(options.signal?.reason);
    options.signal?.addEventListener('abort', abort, { once: true });
    if (this.#status.connection === 'refused' && this.#status.error) document.stop(this.#status.error);
    else this.#decideSoon();
    await document.opened;
    return new Board<Records, State>(document);
  }

  /** Closes every board and every connection. */
  close(): void {
    for (const document of [...this.#documents.values()]) document.close();
    this.#retiring?.();
    this.#stopListening();
    this.#connections.close();
  }

  #make(id: string, presence: PresenceFields | undefined): ClientDocument {
    return new ClientDocument(id, {
      clock: this.#clock,
      random: this.#random,
      connections: this.#connections,
      frameMs: this.#frameMs,
      presence,
      usedOpNo: this.#usedOpNos.get(id) ?? 0,
      session: () => this.#session,
      clientStatus: () => this.#status,
      report: (error) => this.#report(error),
      decideSoon: () => this.#decideSoon(),
      sessionEnded: () => this.#retireSession(),
      answered: () => this.#retireIfAnswered(),
      closed: (usedOpNo) => {
        this.#documents.delete(id);
        this.#usedOpNos.set(id, usedOpNo);
      },
    });
  }

  #ended(channel: Channel): void {
    for (const document of [...this.#documents.values()]) document.ended(channel);
  }

  #received(channel: Channel, event: string, payload: unknown): void {
    const id = (payload as { document?: unknown } | null)?.document;
    if (typeof id === 'string') this.#documents.get(id)?.receive(channel, event, payload);
  }

  #decideSoon(): void {
    if (this.#isDeciding) return;
    this.#isDeciding = true;
    this.#clock.soon(() => {
      this.#isDeciding = false;
      for (const document of [...this.#documents.values()]) document.decide();
      this.#connections.settle();
    });
  }

  #changed(): void {
    this.#decideSoon();
    const status = clientStatus(this.#connections.state, this.#session, this.#status);
    if (status === this.#status) return;
    this.#status = status;
    const { error } = status;
    // To be away for a while is no error; to lack a token, or to be turned away, is.
    if (error !== undefined && status.connection !== 'offline') this.#report(error);
    for (const document of [...this.#documents.values()]) {
      if (error !== undefined && status.connection === 'refused') document.stop(error);
      else document.refreshStatus();
    }
    this.#statusChanges.emit(status);
  }

  /** A document can not go on under the present session id. */
  #retireSession(): void {
    if (this.#retiring !== undefined) return;
    for (const document of this.#documents.values()) document.hold();
    this.#retiring = this.#clock.after(RETIRING_MS, () => this.#renewSession());
    this.#clock.soon(() => this.#retireIfAnswered());
  }

  #retireIfAnswered(): void {
    if (this.#retiring === undefined) return;
    for (const document of this.#documents.values()) if (!document.hasAllAnswers) return;
    this.#renewSession();
  }

  #renewSession(): void {
    this.#retiring?.();
    this.#retiring = undefined;
    this.#session = this.#random.id();
    this.#usedOpNos.clear();
    this.#connections.redial();
    for (const document of [...this.#documents.values()]) document.sessionRenewed();
  }

  #report(error: unknown): void {
    const told =
      error instanceof HomeportError ? error : new HomeportError('invalid', 'a listener threw', { cause: error });
    if (this.#errors.size === 0) console.error(told);
    else this.#errors.emit(told);
  }
}

function tokenError(cause: unknown): HomeportError {
  return new HomeportError(
    'token',
    `no token could be fetched: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
}

function urlsOf(url: string | readonly string[] | undefined): readonly string[] {
  const urls = typeof url === 'string' ? [url] : (url ?? [pageOrigin()]);
  if (urls.length === 0) throw new HomeportError('invalid', 'createClient needs at least one url', { path: 'url' });
  return urls;
}

function pageOrigin(): string {
  const origin = (globalThis as { location?: { origin?: string } }).location?.origin;
  if (origin === undefined) throw new HomeportError('invalid', 'createClient needs a url outside of a web page');
  return origin;
}

/** A browser says when the network is back; other places do not, and the backoff does it alone. */
function listenForNetwork(online: () => void): Cancel {
  const page = globalThis as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>;
  page.addEventListener?.('online', online);
  return () => page.removeEventListener?.('online', online);
}
