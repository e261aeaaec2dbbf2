/**
 * One socket of a client to one node, from the dial to its end. It ends once, says how, and never dials again by itself:
 * where to go then is for the documents on it to decide.
 *
 *   dialling ── hello ──> greeted ── lost │ silent ──> ended
 *       └── no hello in time, or refused ──────────────^
 *
 * Silent: something is unanswered, and for a while nothing came at all. A slow owner is heard of, by its beacons.
 */
import { io, type Socket } from 'socket.io-client';
import {
  DUTIES,
  PROTOCOL_VERSION,
  type ClientToServer,
  type Code,
  type EntriesFrame,
  type HeadBeacon,
  type Hello,
  type Moved,
  type Resume,
  type ServerToClient,
  type SessionId,
} from '@homeport/protocol';
import { nowMs } from '../history/operation.js';
import type { Target } from './route.js';

const HELLO_WITHIN_MS = 2_000;
const SILENT_MS = 2_000;
const LISTEN_EVERY_MS = 250;

/** `unreached`: no hello came. `refused`: the server says that this client can never come in. */
export type LinkEnd =
  { readonly kind: 'lost' | 'silent' | 'unreached' } | { readonly kind: 'refused'; readonly why: string };

export interface LinkListener {
  greeted(link: RawLink): void;
  ended(link: RawLink, end: LinkEnd): void;
  entries(link: RawLink, frame: EntriesFrame): void;
  head(link: RawLink, beacon: HeadBeacon): void;
  moved(link: RawLink, moved: Moved): void;
  resume(link: RawLink, resume: Resume): void;
}

export class RawLink {
  readonly #socket: Socket<ServerToClient, ClientToServer>;
  readonly #listener: LinkListener;
  /** When each unanswered request was sent, the oldest first. */
  readonly #unanswered = new Map<number, number>();
  readonly #watch: NodeJS.Timeout;
  #asked = 0;
  #heardMs: number;
  #lookedMs: number;
  #hello: Hello | undefined;
  #isOver = false;

  constructor(
    readonly target: Target,
    auth: { readonly session: SessionId; readonly token?: string },
    listener: LinkListener,
  ) {
    this.#listener = listener;
    this.#heardMs = this.#lookedMs = nowMs();
    this.#watch = setInterval(() => this.#look(), LISTEN_EVERY_MS);
    this.#socket = io(target.node === undefined ? target.url : `${target.url}?node=${target.node}`, {
      transports: ['websocket'],
      auth: { protocol: PROTOCOL_VERSION, ...auth },
      forceNew: true,
      reconnection: false,
    });
    this.#socket.onAny(() => (this.#heardMs = nowMs()));
    this.#socket.on('hello', (hello) => {
      this.#hello = hello;
      listener.greeted(this);
    });
    this.#socket.on('disconnect', () => this.#end({ kind: this.#hello ? 'lost' : 'unreached' }));
    this.#socket.on('connect_error', (error: Error & { data?: { code?: Code; message?: string } }) => {
      const { code, message } = error.data ?? {};
      const isFinal = code !== undefined && DUTIES[code] !== 'retry';
      this.#end(isFinal ? { kind: 'refused', why: message ?? code } : { kind: 'unreached' });
    });
    this.#socket.on('entries', (frame) => listener.entries(this, frame));
    this.#socket.on('head', (beacon) => listener.head(this, beacon));
    this.#socket.on('moved', (moved) => listener.moved(this, moved));
    this.#socket.on('resume', (resume) => listener.resume(this, resume));
  }

  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** The acknowledgement is the last argument, where the event has one. */
  emit<Event extends keyof ClientToServer>(event: Event, ...args: Parameters<ClientToServer[Event]>): void {
    const [request, ack] = args as unknown as [object, ((reply: never) => void) | undefined];
    if (ack === undefined) return void this.#socket.emit(event, ...args);
    const asked = ++this.#asked;
    this.#unanswered.set(asked, nowMs());
    const answered = (reply: never): void => {
      this.#heardMs = nowMs();
      this.#unanswered.delete(asked);
      ack(reply);
    };
    this.#socket.emit(event, ...([request, answered] as unknown as Parameters<ClientToServer[Event]>));
  }

  /** Nobody needs it any more: its end is not told. */
  close(): void {
    this.#isOver = true;
    clearInterval(this.#watch);
    this.#socket.disconnect();
  }

  /** Breaks the connection under Socket.IO, as a bad network does. */
  break(): void {
    this.#webSocket()?.close();
  }

  /** Takes nothing from the network any more, until `resumeReading`: the kernel's buffers fill, then the server's. */
  stopReading(): void {
    this.#webSocket()?.pause();
  }

  resumeReading(): void {
    this.#webSocket()?.resume();
  }

  /** Socket.IO's client has no such thing; the `ws` that carries it has. */
  #webSocket(): { pause(): void; resume(): void; close(): void } | undefined {
    const { transport } = this.#socket.io.engine as unknown as {
      transport: { ws?: { pause(): void; resume(): void; close(): void } };
    };
    return transport.ws;
  }

  #look(): void {
    const now = nowMs();
    const lateMs = now - this.#lookedMs - LISTEN_EVERY_MS;
    this.#lookedMs = now;
    // This process was busy itself: what it should have heard may wait in its own queue.
    if (lateMs > LISTEN_EVERY_MS) this.#heardMs = Math.max(this.#heardMs, now - SILENT_MS + LISTEN_EVERY_MS);
    if (this.#hello === undefined) {
      if (now - this.#heardMs > HELLO_WITHIN_MS) this.#end({ kind: 'unreached' });
      return;
    }
    const [oldestMs] = this.#unanswered.values();
    if (oldestMs !== undefined && now - Math.max(oldestMs, this.#heardMs) > SILENT_MS) this.#end({ kind: 'silent' });
  }

  #end(end: LinkEnd): void {
    if (this.#isOver) return;
    this.close();
    this.#listener.ended(this, end);
  }
}
