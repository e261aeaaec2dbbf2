/**
 * A session that speaks the wire without the SDK, over a plain `socket.io-client`: an independent second reading of the
 * protocol, for tests that must not share the SDK's mistakes.
 *
 * It keeps one session id over all its sockets. Socket.IO dials again by itself; every `hello` begins a new channel,
 * and nothing is emitted on a channel before its `hello`. What happens in a document is `RawDocument`'s.
 */
import { io, type Socket } from 'socket.io-client';
import {
  PROTOCOL_VERSION,
  type ClientToServer,
  type DocumentId,
  type Hello,
  type ServerToClient,
  type SessionId,
} from '@homeport/protocol';
import type { Operation } from '../history/operation.js';
import { RawDocument } from './raw-document.js';
import type { Wire } from './wire.js';

export interface RawClientOptions {
  readonly name: string;
  readonly url: string;
  readonly session: SessionId;
  readonly token?: string;
  /** Pushes in flight per document. */
  readonly window: number;
  readonly record: (operation: Operation) => void;
}

type State =
  | { readonly kind: 'away' }
  | { readonly kind: 'greeted'; readonly hello: Hello }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'closed' };

export class RawClient {
  readonly #options: RawClientOptions;
  readonly #socket: Socket<ServerToClient, ClientToServer>;
  readonly #documents = new Map<DocumentId, RawDocument>();
  #state: State = { kind: 'away' };

  constructor(options: RawClientOptions) {
    this.#options = options;
    const { token, session } = options;
    this.#socket = io(options.url, {
      transports: ['websocket'],
      auth: { protocol: PROTOCOL_VERSION, session, ...(token !== undefined && { token }) },
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 250,
    });
    this.#socket.on('hello', (hello) => this.#greeted(hello));
    this.#socket.on('disconnect', (reason) => this.#left(reason));
    this.#socket.on('connect_error', (error: Error & { data?: { message?: string } }) => {
      // Socket.IO goes on dialling unless the server itself said no.
      if (!this.#socket.active) this.#state = { kind: 'refused', why: error.data?.message ?? error.message };
    });
    this.#socket.on('entries', (frame) => this.#documents.get(frame.document)?.frame(frame));
    this.#socket.on('head', (beacon) => this.#documents.get(beacon.document)?.beacon(beacon));
    this.#socket.on('moved', ({ document, afterMs }) => this.#documents.get(document)?.reopen(afterMs));
    this.#socket.on('resume', ({ document }) => this.#documents.get(document)?.reopen(0));
  }

  get name(): string {
    return this.#options.name;
  }

  get documents(): readonly RawDocument[] {
    return [...this.#documents.values()];
  }

  /** Why this client can not go on, if so: a test that sees it fails. */
  get trouble(): string | undefined {
    if (this.#state.kind === 'refused') return `${this.name} was refused: ${this.#state.why}`;
    return this.documents.map((document) => document.trouble).find((trouble) => trouble !== undefined);
  }

  /** Follows the document from now on, over every reconnect. */
  open(document: DocumentId): RawDocument {
    const opened = new RawDocument(document, this.#options);
    this.#documents.set(document, opened);
    if (this.#state.kind === 'greeted') opened.connected(this.#wire(this.#state.hello));
    return opened;
  }

  close(): void {
    this.#state = { kind: 'closed' };
    this.#socket.disconnect();
  }

  #greeted(hello: Hello): void {
    this.#state = { kind: 'greeted', hello };
    for (const document of this.#documents.values()) document.connected(this.#wire(hello));
  }

  #left(reason: Socket.DisconnectReason): void {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'away' };
    for (const document of this.#documents.values()) document.disconnected();
    // The server hung up on purpose: Socket.IO dials by itself only after a loss.
    if (reason === 'io server disconnect') this.#socket.connect();
  }

  #wire(hello: Hello): Wire {
    return { emit: this.#socket.emit.bind(this.#socket), user: hello.user, node: hello.node.id };
  }
}
