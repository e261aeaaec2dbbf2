/**
 * One document as a raw client follows it: its own copy, and its own pushes.
 *
 * `away`: no channel. `opening`: `open` was sent, frames that come meanwhile are held. `open`: frames are applied, holes
 * are fetched, pushes flow. `stopped`: the server said that this session is over, or did what it must never do; the
 * client does nothing more, and says why.
 *
 * Every answer belongs to the channel that asked: what was in flight on one that the document has left, or that is gone,
 * is recorded as unknown and sent again on the next.
 */
import {
  DUTIES,
  type DocumentId,
  type EntriesFrame,
  type HeadBeacon,
  type Op,
  type OpenNextReply,
  type OpenReply,
  type OpenedHead,
  type Page,
  type Position,
  type Refusal,
  type Seq,
} from '@homeport/protocol';
import type { DocumentCopy } from '../history/document-copy.js';
import { nowMs } from '../history/operation.js';
import type { RawClientOptions } from './raw-client.js';
import { RawWriter, waitMs, type MovedTo } from './raw-writer.js';
import type { Route } from './route.js';
import { Seam } from './seam.js';
import type { Wire } from './wire.js';
import { Witness } from './witness.js';

/** One attempt to open: answers to an earlier one do not count. */
interface Opening {
  readonly kind: 'opening';
  readonly wire: Wire;
  readonly startMs: number;
}

type State =
  | { readonly kind: 'away' }
  | Opening
  | { readonly kind: 'open'; readonly wire: Wire }
  | { readonly kind: 'stopped'; readonly why: string };

/** What a document needs of its client. */
interface Host {
  /** The document is not, or no longer, at the node that was asked: leaves the channel, or asks again for what it knows. */
  moved(to: MovedTo): void;
  opened(): void;
  /** The node has only asked for time, for a while: it may be cut off, and not know who has the document by now. */
  doubted(): void;
}

const DOUBT_AFTER_MS = 2_000;

export class RawDocument {
  readonly #options: RawClientOptions;
  readonly #writer: RawWriter;
  readonly #seam: Seam;
  readonly #witness: Witness;
  readonly #route: Route;
  readonly #host: Host;
  #state: State = { kind: 'away' };
  #timeline: string | undefined;
  #fetching = false;
  /** Who waits for the answer to a read. */
  readonly #reading = new Set<(answer: Seq | 'refused' | 'lost') => void>();
  /** Since when the node has answered nothing but `unavailable`. */
  #putOffSince: number | undefined;

  constructor(
    readonly id: DocumentId,
    options: RawClientOptions,
    route: Route,
    host: Host,
  ) {
    this.#options = options;
    this.#route = route;
    this.#host = host;
    const { observer } = options;
    this.#seam = new Seam(observer && ((entry) => observer.saw(this, entry)));
    this.#witness = new Witness(id, options, this.#seam);
    this.#writer = new RawWriter(id, options.window, {
      record: (observed) => this.#witness.record(observed),
      goOn: (wire, afterMs) => (afterMs > 0 ? this.#later(wire, afterMs, () => this.#pump()) : this.#pump()),
      reopen: (afterMs) => this.reopen(afterMs),
      moved: (to) => host.moved(to),
      answered: () => (this.#putOffSince = undefined),
      putOff: () => this.#putOff(),
      stop: (why) => this.#stop(why),
    });
  }

  /** The name of its client. */
  get client(): string {
    return this.#options.name;
  }
  get copy(): DocumentCopy {
    return this.#seam.copy;
  }
  get unsettled(): number {
    return this.#writer.unsettled;
  }
  get inFlight(): number {
    return this.#writer.inFlight;
  }
  /** The highest seq that its own pushes were acknowledged at; where it was opened, if none was. */
  get acknowledged(): number {
    return this.#writer.acknowledged;
  }
  /** What it knows for certain: its copy, and its own acknowledged pushes. Undefined before the first `open`. */
  get position(): Position | undefined {
    if (this.#timeline === undefined) return undefined;
    return { timeline: this.#timeline, seq: Math.max(this.copy.seq, this.acknowledged) as Seq };
  }
  /** The channel that it is on. */
  get wire(): Wire | undefined {
    return this.#state.kind === 'open' || this.#state.kind === 'opening' ? this.#state.wire : undefined;
  }
  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }
  get trouble(): string | undefined {
    return this.#state.kind === 'stopped' ? `${this.#options.name} in ${this.id}: ${this.#state.why}` : undefined;
  }

  /** From now on `source` is asked for the next push whenever there is room in the window; undefined: no more. */
  feed(source: (() => readonly Op[]) | undefined): void {
    this.#writer.source = source;
    this.#pump();
  }

  /** Takes one push, whenever it is answered, and answers its opNo; takes nothing while the window is full. */
  push(ops: readonly Op[]): number | undefined {
    const opNo = this.#writer.add(ops);
    if (opNo !== undefined) this.#pump();
    return opNo;
  }

  /**
   * Reads the whole document from the owner; the answer goes into the history. `answered` is called once, with the seq
   * that it was read at, or with what became of it when the document left the channel before. Answers whether it was asked.
   */
  read(answered: (answer: Seq | 'refused' | 'lost') => void = () => {}, minSeq?: Seq): boolean {
    if (this.#state.kind !== 'open') return false;
    const start = nowMs();
    const { wire } = this.#state;
    const least = minSeq !== undefined && this.#timeline !== undefined && { minSeq, timeline: this.#timeline };
    this.#reading.add(answered);
    wire.emit('read', { document: this.id, ...least }, (reply) => {
      if (this.#reading.delete(answered)) answered(reply.ok ? reply.position.seq : 'refused');
      if (reply.ok) this.#witness.read(start, reply);
    });
    return true;
  }

  /** What the copy was shown, and is not in the history yet, goes there. */
  recordShown(): void {
    this.#witness.shown();
  }

  /** Everything has settled: the copy as it stands goes into the history. Answers what is wrong with it, if something is. */
  recordFinal(): string | undefined {
    return this.#witness.settled() ? undefined : `${this.client} in ${this.id}: the copy ends between two states`;
  }

  // ── what the channel brings ──────────────────────────────────────────────────────────────────────────────────────

  connected(wire: Wire): void {
    if (this.#state.kind === 'stopped') return;
    this.#witness.connected(wire);
    this.#open(wire);
  }

  disconnected(): void {
    this.#writer.lost();
    for (const answered of this.#reading) answered('lost');
    this.#reading.clear();
    this.#seam.drop();
    this.#fetching = false;
    if (this.#state.kind !== 'stopped') this.#state = { kind: 'away' };
  }

  frame(frame: EntriesFrame): void {
    this.#trusting(() => this.#seam.hold(frame));
    this.#follow();
  }

  beacon({ seq }: HeadBeacon): void {
    this.#seam.tellHead(seq);
    this.#follow();
  }

  reopen(afterMs: number): void {
    const { wire } = this;
    if (wire === undefined) return;
    const waiting: Opening = { kind: 'opening', wire, startMs: nowMs() };
    this.#state = waiting;
    setTimeout(() => {
      if (this.#state === waiting) this.#open(wire);
    }, afterMs);
  }

  // ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #open(wire: Wire): void {
    const start = nowMs();
    const opening: Opening = { kind: 'opening', wire, startMs: start };
    this.#state = opening;
    this.#fetching = false;
    const since = this.#since();
    const { pin } = wire;
    const { epoch } = this.#route;
    const request = { document: this.id, pin, ...(since && { since }), ...(epoch !== undefined && { epoch }) };
    wire.emit('open', request, (reply: OpenReply | OpenNextReply) => {
      if (this.#state !== opening) return;
      if (!reply.ok) return this.#notOpened(reply);
      if (!('position' in reply)) return this.#stop('the first page of an open lacks its head');
      this.#opened(opening, reply);
    });
  }

  #opened(opening: Opening, head: OpenedHead & Page): void {
    const { startMs: start } = opening;
    const end = nowMs();
    const { position, epoch, session } = head;
    this.#witness.opened(head);
    this.#route.opened(epoch);
    this.#host.opened();
    if (this.unsettled === 0) this.#putOffSince = undefined;
    this.#timeline = position.timeline;
    this.#writer.opened(position.seq, session, start);
    this.#witness.record({ kind: 'read', start, end, seq: position.seq });
    if (head.snapshot) {
      // What the old copy was shown is not lost with it.
      this.recordShown();
      this.#seam.reset();
    }
    this.#page(opening, end, head, head);
  }

  #page(opening: Opening, headMs: number, head: OpenedHead & Page, page: Page): void {
    const { wire } = opening;
    if (page.snapshot) this.copy.install(page.snapshot.records);
    const { tail } = page;
    if (tail) this.#trusting(() => this.#seam.take(tail));
    if (this.#state !== opening) return;
    if (page.next !== undefined) {
      const request = { document: this.id, next: page.next };
      wire.emit('open', request, (reply: OpenReply | OpenNextReply) => {
        if (this.#state !== opening) return;
        if (!reply.ok) return this.#notOpened(reply);
        this.#page(opening, headMs, head, reply);
      });
      return;
    }
    if (head.snapshot) this.copy.standAt(head.position.seq, page === head ? undefined : this.#seam.heldTo);
    else if (this.copy.seq < head.position.seq)
      return this.#stop(`the tail ends at ${this.copy.seq}, its position is ${head.position.seq}`);
    this.#state = { kind: 'open', wire };
    this.#witness.copied();
    this.#follow();
    this.#pump();
    this.#options.observer?.opened(this, opening.startMs, headMs);
  }

  #notOpened(refusal: Refusal): void {
    if (refusal.code === 'moved') return this.#host.moved(refusal);
    const duty = DUTIES[refusal.code];
    if (duty === 'resync') this.#timeline = undefined;
    else if (duty !== 'retry') return this.#stop(`open was refused: ${refusal.code}, ${refusal.message}`);
    if (refusal.code !== 'unavailable' || !this.#putOff()) this.reopen(waitMs(refusal));
  }

  /** Whether the document leaves the node for it. */
  #putOff(): boolean {
    this.#putOffSince ??= nowMs();
    if (nowMs() - this.#putOffSince < DOUBT_AFTER_MS) return false;
    this.#putOffSince = undefined;
    this.#host.doubted();
    return true;
  }

  #since(): Position | undefined {
    return this.#timeline === undefined ? undefined : { timeline: this.#timeline, seq: this.copy.seq };
  }

  // ── following ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Applies what is held as far as it joins on, and fetches what is missing. */
  #follow(): void {
    if (this.#state.kind !== 'open' || this.#fetching) return;
    const { wire } = this.#state;
    const before = this.copy.seq;
    const standing = this.#trusting(() => this.#seam.join());
    this.#witness.followed(before);
    if (standing === 'hole') this.#fetch(wire);
  }

  #fetch(wire: Wire): void {
    this.#fetching = true;
    wire.emit('entries', { document: this.id, from: (this.copy.seq + 1) as Seq }, (reply) => {
      this.#fetching = false;
      if (this.#state.kind !== 'open') return;
      if (reply.ok) {
        this.#trusting(() => this.#seam.take(reply.entries));
        return this.#follow();
      }
      if (reply.code === 'resync') {
        this.#timeline = undefined;
        return this.reopen(0);
      }
      if (reply.code === 'moved') return this.#host.moved(reply);
      if (DUTIES[reply.code] !== 'retry') return this.#stop(`entries were refused: ${reply.code}, ${reply.message}`);
      if (reply.code === 'not_open') return this.reopen(0);
      this.#later(wire, waitMs(reply), () => this.#follow());
    });
  }

  /** Runs what believes the server; what it must never do stops the client. */
  #trusting<T>(task: () => T): T | undefined {
    try {
      return task();
    } catch (error) {
      this.#stop((error as Error).message);
      return undefined;
    }
  }

  #pump(): void {
    if (this.#state.kind === 'open') this.#writer.pump(this.#state.wire);
  }

  #later(wire: Wire, afterMs: number, task: () => void): void {
    setTimeout(() => {
      const state = this.#state;
      if ((state.kind === 'open' || state.kind === 'opening') && state.wire === wire) task();
    }, afterMs);
  }

  #stop(why: string): void {
    this.#state = { kind: 'stopped', why };
  }
}
