/** A document as a client has it: its copy, and its pushes on their way. */
import {
  type DocumentId,
  type EntriesFrame,
  type EntriesReply,
  type Entry,
  type Moved,
  type NodeRef,
  type OpenNextReply,
  type OpenedHead,
  type OpenReply,
  type Page,
  type PushReply,
  type ReadReply,
  type Seq,
  type Timeline,
} from '@homeport/protocol';
import type { FakeClock } from '../fake-clock.js';
import type { SeededRandom } from '../seeded-random.js';
import { PushQueue } from './push-queue.js';
import type { Line } from './sim-node.js';
import { SimWriter } from './sim-writer.js';
import { Fold, type Witness } from './witness.js';

const REPAIR_AFTER_MS = 200;

/** How a client finds the owner: by itself, or through whichever node it is on. */
export type Pinning =
  { readonly pin: 'relay' } | { readonly pin: 'redirect'; readonly moved: (owner: NodeRef, afterMs: number) => void };

export class SimBoard {
  readonly #document: DocumentId;
  readonly #pinning: Pinning;
  readonly #session: string;
  readonly #world: FakeClock;
  readonly #random: SeededRandom;
  readonly #witness: Witness;
  readonly #writer: SimWriter;
  #line: Line | undefined;
  #state: 'closed' | 'opening' | 'open' = 'closed';
  #timeline: Timeline = '';
  #position: Seq | undefined;
  #base = 0 as Seq;
  #fold = new Fold();
  /** Below this seq the copy may mix two states: the pages of a snapshot are not of one moment. */
  #mixedTo = 0 as Seq;
  #queue = new PushQueue();
  /** Frames beyond a hole, or before the answer to `open`. */
  #held: EntriesFrame[] = [];
  #repair: 'none' | 'asked' = 'none';
  #waitUntilMs = 0;
  /** The highest position that this session was shown. */
  #seen = 0 as Seq;
  holes = 0;
  wasRelayed = false;

  constructor(
    document: DocumentId,
    session: string,
    world: FakeClock,
    random: SeededRandom,
    witness: Witness,
    pinning: Pinning,
    isHeavy: boolean,
  ) {
    this.#document = document;
    this.#pinning = pinning;
    this.#session = session;
    this.#world = world;
    this.#random = random;
    this.#witness = witness;
    this.#writer = new SimWriter(session, random, isHeavy);
  }

  get unsettled(): number {
    return this.#queue.length;
  }

  get isAtHead(): boolean {
    return this.#state === 'open' && this.#position === this.#witness.headOf(this.#document);
  }

  /** For who looks for the reason why something does not come. */
  get condition(): string {
    const waiting = `${this.#queue.length} unsettled, ${this.#queue.inFlight} of them sent`;
    return `${this.#session} ${this.#document}: ${this.#state} at ${this.#position}, ${waiting}`;
  }

  connected(line: Line): void {
    this.#line = line;
    this.#open();
  }

  disconnected(): void {
    this.#line = undefined;
    this.#state = 'closed';
    this.#held = [];
    this.#repair = 'none';
    this.#queue.lost();
  }

  /** One thing that a client may do. */
  act(isWriting: boolean): void {
    if (this.#state === 'closed' && this.#world.monotonicMs() >= this.#waitUntilMs) this.#open();
    if (isWriting && this.#queue.length < 16 && this.#random.chance(0.8))
      this.#queue.add(this.#writer.someOps(this.#fold));
    if (this.#random.chance(0.1)) this.#read();
    if (isWriting && this.#random.chance(0.04)) this.#stayAway();
    this.#send();
  }

  heardFrame(frame: EntriesFrame): void {
    this.#held.push(frame);
    if (this.#state === 'open') this.#applyHeld();
  }

  heardHead(seq: Seq): void {
    if (this.#state === 'open' && seq > this.#position!) this.#askRepair();
  }

  heardResume(): void {
    this.#state = 'closed';
    this.#open();
  }

  /** Until it goes there it is served where it is, or told by the next push that it is not. */
  heardMoved({ owner, afterMs }: Moved): void {
    if (this.#pinning.pin === 'redirect') this.#pinning.moved(owner, afterMs);
    else this.#witness.violated('P', `${this.#session} is relayed, and is told that ${this.#document} moved`);
  }

  // ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #close(): void {
    if (this.#state !== 'open') return;
    this.#line?.ask('close', { document: this.#document }, () => {});
    this.#state = 'closed';
    this.#held = [];
  }

  /** Sometimes so long, and so many, that the document leaves memory. */
  #stayAway(): void {
    this.#close();
    this.#waitFor(this.#random.chance(0.5) ? 50 : 2_500);
  }

  #open(): void {
    const line = this.#line;
    if (line === undefined || this.#state !== 'closed') return;
    this.#state = 'opening';
    this.#held = [];
    this.#mixedTo = 0 as Seq;
    this.#repair = 'none';
    const mayResume = this.#position !== undefined && this.#random.chance(0.8);
    const since = mayResume ? { since: { timeline: this.#timeline, seq: this.#position } } : {};
    const floor = this.#floor();
    const { pin } = this.#pinning;
    line.ask('open', { document: this.#document, pin, ...since }, (reply: OpenReply) => {
      if (line !== this.#line || this.#state !== 'opening') return;
      if (reply.ok && reply.next !== undefined) this.#turnPages(line, reply, reply, floor);
      else this.#opened(reply, floor);
    });
  }

  /** Asks for the rest, page by page: `opened` is the first with what came after it. */
  #turnPages(line: Line, opened: OpenedHead & Page, last: Page, floor: Seq): void {
    if (last.next === undefined) {
      // What made a later page younger than the first was sent before that page.
      if (opened.snapshot) this.#mixedTo = Math.max(...this.#held.map(({ to }) => to), 0) as Seq;
      return this.#opened(opened, floor);
    }
    line.ask('open', { document: this.#document, next: last.next }, (reply: OpenNextReply) => {
      if (line !== this.#line || this.#state !== 'opening') return;
      if (!reply.ok) return this.#opened(reply, floor);
      this.#turnPages(line, { ...opened, ...joined(opened, reply) }, reply, floor);
    });
  }

  #opened(reply: OpenReply, floor: Seq): void {
    if (!reply.ok) {
      this.#state = 'closed';
      if (reply.code === 'moved' && this.#pinning.pin === 'redirect') this.#pinning.moved(reply.owner, reply.afterMs);
      this.#waitFor('retryAfterMs' in reply ? reply.retryAfterMs : 0);
      return;
    }
    const { position, session, snapshot, tail } = reply;
    this.wasRelayed ||= reply.relayed;
    if (session.accepted < this.#queue.accepted)
      this.#witness.violated(
        'X7',
        `${this.#session} is remembered up to ${session.accepted}, ${this.#queue.accepted} was acknowledged`,
      );
    for (const [opNo, seq] of session.recent) {
      this.#witness.acked(this.#document, this.#session, opNo, seq);
      this.#queue.acked(opNo);
    }
    if (snapshot !== undefined) {
      this.#fold = new Fold();
      for (const [key, { value, seq }] of Object.entries(snapshot.records))
        this.#fold.records.set(key, { value, seq, bytes: JSON.stringify(value).length });
      this.#position = position.seq;
    } else this.#apply(tail!);
    if (position.seq >= this.#mixedTo) this.#witness.showed(this.#document, position.seq, floor, this.#fold.records);
    if (this.#position !== position.seq)
      this.#witness.violated('D1', `a tail ends at ${this.#position}, the position is ${position.seq}`);
    if (this.#timeline === '') this.#base = position.seq;
    this.#timeline = position.timeline;
    this.#state = 'open';
    this.#saw(position.seq);
    this.#queue.lost();
    this.#applyHeld();
    this.#send();
  }

  // ── the copy ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #applyHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const frame of held) {
      if (frame.to <= this.#position!) continue;
      if (frame.from > this.#position! + 1) {
        this.#held.push(frame);
        this.holes++;
        this.#askRepair();
        continue;
      }
      this.#apply(frame.entries);
    }
    if (this.#position! >= this.#mixedTo) this.#witness.copied(this.#document, this.#position!, this.#fold.hash);
    this.#saw(this.#position!);
  }

  #apply(entries: readonly Entry[]): void {
    this.#witness.shown(this.#document, entries);
    for (const entry of entries) {
      if (entry.seq <= this.#position!) continue;
      if (entry.seq !== this.#position! + 1)
        this.#witness.violated('D1', `${this.#document}: entry ${entry.seq} is given after ${this.#position}`);
      this.#fold.apply(entry);
      this.#position = entry.seq;
      if (entry.session === this.#session) this.#queue.acked(entry.opNo);
    }
  }

  #askRepair(): void {
    const line = this.#line;
    if (this.#repair === 'asked' || line === undefined) return;
    this.#repair = 'asked';
    this.#world.after(this.#random.between(0, REPAIR_AFTER_MS), () => {
      if (line !== this.#line || this.#state !== 'open') return;
      line.ask('entries', { document: this.#document, from: this.#position! + 1 }, (reply: EntriesReply) => {
        if (line !== this.#line || this.#state !== 'open') return;
        this.#repair = 'none';
        if (reply.ok) this.#apply(reply.entries);
        else if (reply.code === 'resync') {
          this.#position = undefined;
          this.#close();
          return;
        }
        this.#applyHeld();
      });
    });
  }

  #read(): void {
    const floor = this.#floor();
    const minSeq = this.#random.chance(0.5) ? { minSeq: this.#seen } : {};
    this.#line?.ask('read', { document: this.#document, ...minSeq }, (reply: ReadReply) => {
      if (!reply.ok) return;
      this.#witness.showed(this.#document, reply.position.seq, floor, Object.entries(reply.records));
      this.#saw(reply.position.seq);
    });
  }

  /** What an answer to a question that is asked now must show at least. */
  #floor(): Seq {
    return Math.max(this.#witness.ackedTo(this.#document), this.#seen) as Seq;
  }

  #saw(position: Seq): void {
    if (position > this.#seen) this.#seen = position;
  }

  // ── pushes ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #send(): void {
    const line = this.#line;
    if (line === undefined || this.#state !== 'open' || this.#world.monotonicMs() < this.#waitUntilMs) return;
    for (const { opNo, after, ops } of this.#queue.take()) {
      const push = { document: this.#document, opNo, after, base: this.#base, ops };
      line.ask('push', push, (reply: PushReply) => {
        // What is settled is not unsettled by the late answer of an earlier try.
        if (line === this.#line && this.#queue.has(opNo)) this.#answered(opNo, reply);
      });
    }
  }

  #answered(opNo: number, reply: PushReply): void {
    if (reply.ok) {
      this.#queue.acked(opNo);
      this.#base = reply.position.seq;
      this.#send();
      return;
    }
    switch (reply.code) {
      case 'conflict':
        this.#witness.showedValue(this.#document, reply.key, reply.current);
        this.#witness.refused(this.#document, this.#session, opNo);
        this.#queue.refused(opNo);
        break;
      case 'invalid':
        this.#witness.refused(this.#document, this.#session, opNo);
        this.#queue.refused(opNo);
        break;
      case 'unavailable':
      case 'rate_limited':
        this.#waitFor(reply.retryAfterMs);
        this.#queue.postponed(opNo);
        break;
      case 'moved':
        this.#state = 'closed';
        this.#queue.postponed(opNo);
        break;
      case 'gap':
      case 'not_open':
        this.#queue.postponed(opNo);
        break;
      default:
        this.#witness.violated('X', `an honest push ${opNo} of ${this.#session} is refused ${reply.code}`);
    }
    this.#send();
  }

  #waitFor(ms: number): void {
    this.#waitUntilMs = this.#world.monotonicMs() + ms * this.#random.between(0.5, 1);
  }
}

function joined(before: Page, { snapshot, tail }: Page): Partial<Page> {
  if (snapshot) return { snapshot: { records: { ...before.snapshot?.records, ...snapshot.records } } };
  return { tail: [...(before.tail ?? []), ...(tail ?? [])] };
}
