/**
 * One socket of a client to one node, from the dial to its end. It ends once, says how, and never dials again by itself:
 * where to go then is for the documents on it to decide.
 *
 *   dialling ── hello ──> greeted ── lost │ silent ──> ended
 *       └── no hello in time, or refused ──────────────^
 *
 * Silent: something is unanswered, and for a while nothing came at all. A slow owner is heard of, by its beacons.
 */
import {
  DUTIES,
  PROTOCOL_VERSION,
  type ClientToServer,
  type Code,
  type EntriesFrame,
  type HeadBeacon,
  type Hello,
  type Moved,
  type PresenceFrame,
  type Resume,
  type SessionId,
} from '@homeport/protocol';
import { nowMs } from '../history/operation.js';
import type { Carrier, Carry } from './carrier.js';
import type { Target } from './route.js';
import { bySocketIo } from './socket-io-carrier.js';

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
  presence(link: RawLink, frame: PresenceFrame): void;
}

export class RawLink {
  readonly #carrier: Carrier;
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
    carry: Carry = bySocketIo,
  ) {
    this.#listener = listener;
    this.#heardMs = this.#lookedMs = nowMs();
    this.#watch = setInterval(() => this.#look(), LISTEN_EVERY_MS);
    this.#carrier = carry(
      target,
      { protocol: PROTOCOL_VERSION, ...auth },
      {
        heard: () => void (this.#heardMs = nowMs()),
        hello: (hello) => {
          this.#hello = hello;
          listener.greeted(this);
        },
        entries: (frame) => listener.entries(this, frame),
        head: (beacon) => listener.head(this, beacon),
        moved: (moved) => listener.moved(this, moved),
        resume: (resume) => listener.resume(this, resume),
        presence: (frame) => listener.presence(this, frame),
        lost: () => this.#end({ kind: this.#hello ? 'lost' : 'unreached' }),
        refused: ({ code, message }) => {
          const isFinal = code !== undefined && DUTIES[code as Code] !== 'retry';
          this.#end(isFinal ? { kind: 'refused', why: message ?? code } : { kind: 'unreached' });
        },
      },
    );
  }

  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** The acknowledgement is the last argument, where the event has one. */
  emit<Event extends keyof ClientToServer>(event: Event, ...args: Parameters<ClientToServer[Event]>): void {
    const [request, ack] = args as unknown as [object, ((reply: never) => void) | undefined];
    if (ack === undefined) return this.#carrier.send(event, request);
    const asked = ++this.#asked;
    this.#unanswered.set(asked, nowMs());
    this.#carrier.send(event, request, (reply: never) => {
      this.#heardMs = nowMs();
      this.#unanswered.delete(asked);
      ack(reply);
    });
  }

  /** Nobody needs it any more: its end is not told. */
  close(): void {
    this.#isOver = true;
    clearInterval(this.#watch);
    this.#carrier.close();
  }

  /** Breaks the connection under Socket.IO, as a bad network does. */
  break(): void {
    this.#carrier.break();
  }

  /** Takes nothing from the network any more, until `resumeReading`: the kernel's buffers fill, then the server's. */
  stopReading(): void {
    this.#carrier.pause();
  }

  resumeReading(): void {
    this.#carrier.resume();
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
