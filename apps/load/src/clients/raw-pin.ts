/**
 * On which socket a document of a raw client is, and where it goes.
 *
 *   away      on none. It dials its target when the pause is over
 *   at        on one, which may still be dialling. When that is lost the same node is dialled once more, then the next
 *   leaving   on one whose node said `moved`, and serves it on. When its time has come, the owner is dialled; the document
 *             goes there when that has greeted, so that its pushes wait for no dial
 *
 * Which node is asked next is the `Route`'s to say.
 */
import type { DocumentId, Moved } from '@homeport/protocol';
import type { RawClientOptions } from './raw-client.js';
import { RawDocument } from './raw-document.js';
import type { LinkEnd, RawLink } from './raw-link.js';
import type { MovedTo } from './raw-writer.js';
import { Route, type Target } from './route.js';
import type { Wire } from './wire.js';

/** The sockets of its client. */
export interface RawLinks {
  /** The one to that node, which may still be dialling; none if the client goes nowhere any more. */
  to(target: Target): RawLink | undefined;
  /** A document has left it: it closes, unless it is needed still. */
  left(link: RawLink): void;
}

const PAUSE_FIRST_MS = 50;
const PAUSE_MAX_MS = 250;

export class RawPin {
  readonly document: RawDocument;
  readonly #options: RawClientOptions;
  readonly #links: RawLinks;
  readonly #route: Route;
  /** Where it is. */
  #link: RawLink | undefined;
  /** Where it goes as soon as that node greets. */
  #next: RawLink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;

  constructor(id: DocumentId, options: RawClientOptions, links: RawLinks) {
    const { urls, startAt = 0 } = options;
    this.#options = options;
    this.#links = links;
    this.#route = new Route(urls, startAt);
    this.document = new RawDocument(id, options, this.#route, {
      moved: (to) => this.#servedNoMore(to),
      opened: () => void (this.#failures = 0),
      doubted: () => {
        this.#route.next();
        this.#go(PAUSE_FIRST_MS);
      },
    });
    this.#go(0);
  }

  uses(link: RawLink): boolean {
    return this.#link === link || this.#next === link;
  }

  isAt(link: RawLink): boolean {
    return this.#link === link;
  }

  /** The document is followed no more. Its sockets stay, for the next one. */
  leave(): void {
    this.document.recordShown();
    this.#link?.emit('close', { document: this.document.id }, () => {});
    this.stop();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.document.disconnected();
  }

  // ── what the links tell ──────────────────────────────────────────────────────────────────────────────────────────

  greeted(link: RawLink): void {
    if (this.#next === link) this.#change(link);
    else if (this.#link === link) this.#connect(link);
  }

  ended(link: RawLink, end: LinkEnd): void {
    if (!this.uses(link)) return;
    // It may have been sent elsewhere meanwhile.
    if (end.kind !== 'lost' && this.#route.target.url === link.target.url) this.#route.next();
    if (this.#next === link) {
      // It is served where it is, and looks for another way.
      this.#next = undefined;
      return this.#later(this.#pauseMs(), () => this.#approach());
    }
    this.#link = undefined;
    if (this.#next !== undefined) this.#change(this.#next);
    else this.#go(this.#pauseMs());
  }

  /** It lives elsewhere now, and is served here until it has gone. */
  moved({ owner, epoch, afterMs }: Moved): void {
    this.#route.moved(owner, epoch);
    this.#later(afterMs, () => this.#approach());
  }

  // ── where it goes ────────────────────────────────────────────────────────────────────────────────────────────────

  #servedNoMore({ owner, epoch, afterMs }: MovedTo): void {
    this.#route.moved(owner, epoch);
    if (this.#isThere) return this.document.reopen(Math.max(afterMs, PAUSE_FIRST_MS));
    if (this.#next?.target.url === this.#route.target.url) this.#change(this.#next);
    else this.#go(afterMs);
  }

  #approach(): void {
    if (this.#isThere) return this.document.reopen(0);
    const before = this.#next;
    this.#next = this.#links.to(this.#route.target);
    if (before !== undefined) this.#links.left(before);
    if (this.#next?.hello !== undefined) this.#change(this.#next);
  }

  /** Nobody else is known: the same node is asked again, on the same socket. */
  get #isThere(): boolean {
    return this.#link?.target.url === this.#route.target.url;
  }

  /** Leaves where it is, and goes to its target after a pause. */
  #go(afterMs: number): void {
    const [link, next] = [this.#link, this.#next];
    this.#link = this.#next = undefined;
    this.document.disconnected();
    if (link !== undefined) this.#links.left(link);
    if (next !== undefined) this.#links.left(next);
    this.#later(afterMs, () => {
      this.#link = this.#links.to(this.#route.target);
      if (this.#link !== undefined) this.#connect(this.#link);
    });
  }

  /** Goes there at once. */
  #change(link: RawLink): void {
    const from = this.#link;
    this.#link = link;
    this.#next = undefined;
    clearTimeout(this.#timer);
    this.document.disconnected();
    if (from !== undefined) {
      from.emit('close', { document: this.document.id }, () => {});
      this.#links.left(from);
    }
    this.#connect(link);
  }

  #connect(link: RawLink): void {
    const { hello } = link;
    if (hello === undefined) return;
    const { document } = this;
    // A load balancer brought us elsewhere than we asked for, and would again: we are served through that node.
    const isElsewhere = link.target.node !== undefined && link.target.node !== hello.node.name;
    document.connected({
      user: hello.user,
      node: hello.node,
      pin: isElsewhere ? 'relay' : (this.#options.pin ?? 'redirect'),
      emit: (event, ...args) => {
        const [request, ack] = args as unknown as [object, ((reply: never) => void) | undefined];
        if (ack === undefined) return link.emit(event, ...args);
        const { wire } = document;
        const answered = (reply: never): void => {
          if (document.wire === wire) ack(reply);
        };
        link.emit(event, ...([request, answered] as unknown as typeof args));
      },
    } satisfies Wire);
  }

  #pauseMs(): number {
    return Math.min(PAUSE_FIRST_MS * 2 ** this.#failures++, PAUSE_MAX_MS);
  }

  /** In place of whatever it was waiting for. */
  #later(afterMs: number, task: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(task, afterMs);
  }
}
