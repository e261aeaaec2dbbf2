/**
 * A session that speaks the wire without the SDK, over plain `socket.io-client` sockets: an independent second reading of
 * the protocol, for tests that must not share the SDK's mistakes.
 *
 * It keeps one session id over all its sockets, one socket to each node that one of its documents is on. A document goes
 * where `moved` says; when its socket is lost it dials the same node once more, and then asks the nodes that it knows,
 * one after the other. What happens in a document is `RawDocument`'s, which way to go is `Route`'s.
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
import { RawDocument } from './raw-document.js';
import { RawLink, type LinkEnd, type LinkListener } from './raw-link.js';
import type { MovedTo } from './raw-writer.js';
import { Route } from './route.js';
import type { Wire } from './wire.js';

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

/** A document and where it is. */
interface Place {
  readonly document: RawDocument;
  readonly route: Route;
  link: RawLink | undefined;
  timer: NodeJS.Timeout | undefined;
  failures: number;
}

const PAUSE_FIRST_MS = 50;
const PAUSE_MAX_MS = 250;

export class RawClient implements LinkListener {
  readonly #options: RawClientOptions;
  readonly #places = new Map<DocumentId, Place>();
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
    return [...this.#places.values()].map(({ document }) => document);
  }

  /** Why this client can not go on, if so: a test that sees it fails. */
  get trouble(): string | undefined {
    if (this.#stopped !== undefined) return `${this.name} ${this.#stopped}`;
    return this.documents.map((document) => document.trouble).find((trouble) => trouble !== undefined);
  }

  /** Follows the document from now on, over every reconnect and every move. */
  open(id: DocumentId): RawDocument {
    const { urls, startAt = 0 } = this.#options;
    const route = new Route(urls, startAt);
    const document = new RawDocument(id, this.#options, route, {
      moved: (moved) => this.#moved(place, moved),
      opened: () => void (place.failures = 0),
      doubted: () => {
        place.route.next();
        this.#leave(place);
        this.#go(place, PAUSE_FIRST_MS);
      },
    });
    const place: Place = { document, route, link: undefined, timer: undefined, failures: 0 };
    this.#places.set(id, place);
    this.#go(place, 0);
    return document;
  }

  /** Stops following the document. */
  leave(id: DocumentId): void {
    const place = this.#places.get(id);
    if (!place) return;
    clearTimeout(place.timer);
    place.document.recordShown();
    place.link?.emit('close', { document: id }, () => {});
    this.#places.delete(id);
    place.document.disconnected();
    // The socket stays, for the next one.
  }

  close(): void {
    this.#isClosed = true;
    for (const { timer, document } of this.#places.values()) {
      clearTimeout(timer);
      document.disconnected();
    }
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
    for (const place of this.#placesAt(link)) this.#connect(place, link);
  }

  ended(link: RawLink, end: LinkEnd): void {
    this.linksLost++;
    if (this.#links.get(link.target.url) === link) this.#links.delete(link.target.url);
    if (end.kind === 'refused') this.#stopped = `was refused: ${end.why}`;
    for (const place of this.#placesAt(link)) {
      this.#leave(place);
      if (end.kind !== 'lost') place.route.next();
      this.#go(place, Math.min(PAUSE_FIRST_MS * 2 ** place.failures++, PAUSE_MAX_MS));
    }
  }

  entries(link: RawLink, frame: EntriesFrame): void {
    this.#placeAt(link, frame.document)?.document.frame(frame);
  }

  head(link: RawLink, beacon: HeadBeacon): void {
    this.#placeAt(link, beacon.document)?.document.beacon(beacon);
  }

  moved(link: RawLink, moved: Moved): void {
    const place = this.#placeAt(link, moved.document);
    if (place === undefined) return;
    place.route.moved(moved.owner, moved.epoch);
    // Until its time has come it is served here.
    clearTimeout(place.timer);
    place.timer = setTimeout(() => this.#follow(place, 0), moved.afterMs);
  }

  resume(link: RawLink, { document }: Resume): void {
    this.resumes++;
    this.#placeAt(link, document)?.document.reopen(0);
  }

  presence(_link: RawLink, frame: PresenceFrame): void {
    this.#options.observer?.presence(frame);
  }

  // ── where the documents are ──────────────────────────────────────────────────────────────────────────────────────

  /** It is served here no more. */
  #moved(place: Place, { owner, epoch, afterMs }: MovedTo): void {
    place.route.moved(owner, epoch);
    this.#follow(place, afterMs);
  }

  #follow(place: Place, afterMs: number): void {
    // Nobody else is known: the same node is asked again, on the same socket.
    if (place.link?.target.url === place.route.target.url)
      return place.document.reopen(Math.max(afterMs, PAUSE_FIRST_MS));
    this.#leave(place);
    this.#go(place, afterMs);
  }

  #go(place: Place, afterMs: number): void {
    clearTimeout(place.timer);
    place.timer = setTimeout(() => {
      if (this.#isClosed || this.#stopped !== undefined) return;
      const { target } = place.route;
      const { session, token, carry, objection } = this.#options;
      const objected = objection?.(target.url);
      if (objected !== undefined) return void (this.#stopped = `was sent on, and does not go: ${objected}`);
      const auth = { session, ...(token !== undefined && { token }) };
      const link = this.#links.get(target.url) ?? new RawLink(target, auth, this, carry);
      this.#links.set(target.url, link);
      place.link = link;
      this.#connect(place, link);
    }, afterMs);
  }

  #connect(place: Place, link: RawLink): void {
    const { hello } = link;
    if (hello === undefined) return;
    // A load balancer brought us elsewhere than we asked for, and would again: we are served through that node.
    const isElsewhere = link.target.node !== undefined && link.target.node !== hello.node.name;
    place.document.connected({
      user: hello.user,
      node: hello.node,
      pin: isElsewhere ? 'relay' : this.pin,
      emit: (event, ...args) => {
        const [request, ack] = args as unknown as [object, ((reply: never) => void) | undefined];
        if (ack === undefined) return link.emit(event, ...args);
        const wire = place.document.wire;
        const answered = (reply: never): void => {
          if (place.document.wire === wire) ack(reply);
        };
        link.emit(event, ...([request, answered] as unknown as typeof args));
      },
    } satisfies Wire);
  }

  #leave(place: Place): void {
    const { link } = place;
    place.link = undefined;
    place.document.disconnected();
    if (link === undefined || this.#placesAt(link).length > 0) return;
    this.#links.delete(link.target.url);
    link.close();
  }

  #placesAt(link: RawLink): Place[] {
    return [...this.#places.values()].filter((place) => place.link === link);
  }

  #placeAt(link: RawLink, document: DocumentId): Place | undefined {
    const place = this.#places.get(document);
    return place?.link === link ? place : undefined;
  }
}
