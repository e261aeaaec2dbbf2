/**
 * A session that speaks the wire without the SDK, over plain `socket.io-client` sockets: an independent second reading of
 * the protocol, for tests that must not share the SDK's mistakes.
 *
 * It keeps one session id over all its sockets, one socket to each node that one of its documents is on. On which of them
 * a document is, and where it goes, is `RawPin`'s; what happens in it is `RawDocument`'s.
 */
import type {
  DocumentId,
  EntriesFrame,
  Entry,
  HeadBeacon,
  Moved,
  PresenceFrame,
  Resume,
  SessionId,
} from '@homeport/protocol';
import type { Operation } from '../history/operation.js';
import type { Carry } from './carrier.js';
import type { RawDocument } from './raw-document.js';
import { RawLink, type LinkEnd, type LinkListener } from './raw-link.js';
import { RawPin, type RawLinks } from './raw-pin.js';
import type { Target } from './route.js';

export interface RawClientOptions {
  readonly name: string;
  /** The nodes that it knows from the start. */
  readonly urls: readonly string[];
  /** Which of them it asks first. */
  readonly startAt?: number;
  readonly session: SessionId;
  readonly token?: string;
  /** `relay`: stays where it is, whoever owns the document. */
  readonly pin?: 'redirect' | 'relay';
  /** Why it may not go to an address that a node sends it to, if so. */
  readonly objection?: (url: string) => string | undefined;
  /** Pushes in flight per document. */
  readonly window: number;
  readonly record: (operation: Operation) => void;
  /** How its messages travel: by Socket.IO's own client, if nothing is said. */
  readonly carry?: Carry;
  readonly observer?: RawObserver;
  /** How its copies go into the history; densely, if nothing is said. No entry is left out either way. */
  readonly copies?: CopyRecording;
}

/** Hears of things as they happen, where the history is too late for it. */
export interface RawObserver {
  /** The document is open, and its copy complete. `startMs`: when it was asked for; `headMs`: when the first page came. */
  opened(document: RawDocument, startMs: number, headMs: number): void;
  /** The copy took this entry, which somebody else or the session itself had pushed. */
  saw(document: RawDocument, entry: Entry): void;
  presence(frame: PresenceFrame): void;
}

/** Where many look at busy documents, what each of them saw is written down in larger pieces. */
export interface CopyRecording {
  readonly everyMs: number;
  /** Hashing costs what the document is large. */
  readonly hashEverySeqs: number;
}

export class RawClient implements LinkListener, RawLinks {
  readonly #options: RawClientOptions;
  readonly #pins = new Map<DocumentId, RawPin>();
  readonly #links = new Map<string, RawLink>();
  /** Why it dials nobody any more. */
  #stopped: string | undefined;
  #isClosed = false;
  /** How often a socket of it ended, for whatever reason. */
  linksLost = 0;
  /** How often it was told that it had been too slow. */
  resumes = 0;

  constructor(options: RawClientOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Whether it goes to the owners, or is relayed by choice. */
  get pin(): 'redirect' | 'relay' {
    return this.#options.pin ?? 'redirect';
  }

  get documents(): readonly RawDocument[] {
    return [...this.#pins.values()].map(({ document }) => document);
  }

  /** Why this client can not go on, if so: a test that sees it fails. */
  get trouble(): string | undefined {
    if (this.#stopped !== undefined) return `${this.name} ${this.#stopped}`;
    return this.documents.map((document) => document.trouble).find((trouble) => trouble !== undefined);
  }

  /** Follows the document from now on, over every reconnect and every move. */
  open(id: DocumentId): RawDocument {
    const pin = new RawPin(id, this.#options, this);
    this.#pins.set(id, pin);
    return pin.document;
  }

  /** Stops following the document. */
  leave(id: DocumentId): void {
    this.#pins.get(id)?.leave();
    this.#pins.delete(id);
  }

  close(): void {
    this.#isClosed = true;
    for (const pin of this.#pins.values()) pin.stop();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  /** Loses all its sockets at once. */
  breakLinks(): void {
    for (const link of this.#links.values()) link.break();
  }

  stopReading(): void {
    for (const link of this.#links.values()) link.stopReading();
  }

  resumeReading(): void {
    for (const link of this.#links.values()) link.resumeReading();
  }

  // ── what the links tell ──────────────────────────────────────────────────────────────────────────────────────────

  greeted(link: RawLink): void {
    for (const pin of this.#pins.values()) pin.greeted(link);
  }

  ended(link: RawLink, end: LinkEnd): void {
    this.linksLost++;
    if (this.#links.get(link.target.url) === link) this.#links.delete(link.target.url);
    if (end.kind === 'refused') this.#stopped = `was refused: ${end.why}`;
    for (const pin of this.#pins.values()) pin.ended(link, end);
  }

  entries(link: RawLink, frame: EntriesFrame): void {
    this.#pinAt(link, frame.document)?.document.frame(frame);
  }

  head(link: RawLink, beacon: HeadBeacon): void {
    this.#pinAt(link, beacon.document)?.document.beacon(beacon);
  }

  moved(link: RawLink, moved: Moved): void {
    this.#pinAt(link, moved.document)?.moved(moved);
  }

  resume(link: RawLink, { document }: Resume): void {
    this.resumes++;
    this.#pinAt(link, document)?.document.reopen(0);
  }

  presence(_link: RawLink, frame: PresenceFrame): void {
    this.#options.observer?.presence(frame);
  }

  #pinAt(link: RawLink, document: DocumentId): RawPin | undefined {
    const pin = this.#pins.get(document);
    return pin?.isAt(link) ? pin : undefined;
  }

  // ── what the pins ask for ────────────────────────────────────────────────────────────────────────────────────────

  to(target: Target): RawLink | undefined {
    if (this.#isClosed || this.#stopped !== undefined) return undefined;
    const { session, token, carry, objection } = this.#options;
    const objected = objection?.(target.url);
    if (objected !== undefined) {
      this.#stopped = `was sent on, and does not go: ${objected}`;
      return undefined;
    }
    const auth = { session, ...(token !== undefined && { token }) };
    const link = this.#links.get(target.url) ?? new RawLink(target, auth, this, carry);
    this.#links.set(target.url, link);
    return link;
  }

  left(link: RawLink): void {
    if ([...this.#pins.values()].some((pin) => pin.uses(link))) return;
    this.#links.delete(link.target.url);
    link.close();
  }
}
