/**
 * A document in its home: one order of changes, and the committed state that they made.
 *
 * A push that arrives is judged at once, on committed and pending state together, and either gets the next place in the
 * order or is refused. It then waits. When the flush that holds its entry has returned, its changes move from the
 * speculation to the records, the entry goes into a frame, and only then is it answered: memory never shows what the
 * log does not hold. A refusal that was judged while something was pending waits behind it, for it may have been judged
 * on what will never be.
 *
 * At most one flush of a document is in flight. When one did not fully succeed there is one procedure, `replay`: the
 * order goes back to the committed head, what the log turned out to hold is committed, and everything else that waits
 * is judged again, in order, as if it had just arrived. Until then (`settling`) arrivals wait unjudged.
 *
 *   live ── settle() ──> settling ── replay() ──> live          any ── drop() ──> dropped
 */
import {
  fingerprint,
  refuse,
  type DocumentId,
  type Entry,
  type Epoch,
  type Page,
  type Position,
  type PushReply,
  type ReadRequest,
  type RecordState,
  type Refusal,
  type Seq,
  type SessionId,
  type SessionRecall,
  type Timeline,
  type UserId,
} from '@homeport/protocol';
import type { Clock } from '../runtime/clock.js';
import { RecentEntries, snapshotPages, tailPages, type Pages } from './catch-up.js';
import { CheckpointMarker, type CheckpointPlan } from './checkpoint.js';
import type { Batch, LoadedDocument } from './document-log.js';
import { placed, type LoggedEntry, type PlacedEntry } from './entry.js';
import { changesOf, evaluate } from './evaluate.js';
import type { Frames } from './fan-out.js';
import { Records, Speculation, type Change } from './records.js';
import { SessionMarks, sessionKey, type Answer, type Numbered } from './session-marks.js';
import { slotOf, type Slot } from './slot.js';
import { answerAll, isSame, type Waiting } from './waiting.js';

export type Push = Numbered;

/** More than any honest set of clients has unanswered: beyond it a push is refused `unavailable`. */
export const WAITING_MAX = 20_000;

export class Document {
  readonly id: DocumentId;
  readonly slot: Slot;
  /** Sessions that are on the document. */
  readers = 0;
  lastUsedMs: number;

  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #frames: Frames;
  readonly #records = new Records();
  readonly #speculation = new Speculation(this.#records);
  readonly #marks: SessionMarks<Waiting>;
  readonly #recent = new RecentEntries();
  readonly #checkpoint: CheckpointMarker;
  #state: 'live' | 'settling' | 'dropped' = 'live';
  #seq: Seq;
  #committed: Seq;
  #inFlightTo: Seq | undefined;
  #waiting: Waiting[] = [];

  constructor(id: DocumentId, loaded: LoadedDocument, timeline: Timeline, clock: Clock, frames: Frames) {
    this.id = id;
    this.slot = slotOf(id);
    this.#timeline = timeline;
    this.#clock = clock;
    this.#frames = frames;
    this.lastUsedMs = clock.monotonicMs();
    this.#marks = new SessionMarks(loaded.marks, loaded.forgottenTo);
    this.#checkpoint = new CheckpointMarker(loaded.checkpoint);
    for (const { key, value, seq, bytes, writer, othersSeq } of loaded.records)
      this.#records.install({ key, record: { value, seq, bytes, writer, othersSeq } });
    this.#committed = loaded.checkpoint;
    for (const entry of loaded.tail) this.#commitLogged(entry);
    if (this.#committed !== loaded.head)
      throw new Error(`the log of ${id} ends at ${this.#committed}, its head says ${loaded.head}`);
    this.#seq = this.#committed;
  }

  /** The last committed seq. */
  get head(): Seq {
    return this.#committed;
  }

  get position(): Position {
    return { timeline: this.#timeline, seq: this.#committed };
  }

  get recordCount(): number {
    return this.#records.count;
  }

  get bytes(): number {
    return this.#records.bytes;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Nothing pends, nobody reads, no checkpoint is owed or runs: it can leave memory and nothing is lost. */
  get isIdle(): boolean {
    return this.readers === 0 && !this.isRelayed && this.#waiting.length === 0 && this.#checkpoint.state === 'clean';
  }

  /** Sessions of other nodes are on it. */
  get isRelayed(): boolean {
    return this.#frames.isRelayed;
  }

  relayUntil(untilMs: number): void {
    this.#frames.relayUntil(untilMs);
  }

  get checkpointState(): CheckpointMarker['state'] {
    return this.#checkpoint.state;
  }

  // ── writes ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when the push is committed, or refused; also when a flush of unknown outcome has been settled. */
  push(push: Push): Promise<PushReply> {
    const nowMs = this.#clock.monotonicMs();
    this.lastUsedMs = nowMs;
    return new Promise((answer) => {
      const waiting: Waiting = {
        push,
        place: { kind: 'arrived' },
        isPoison: false,
        askers: [{ answer, sinceMs: nowMs }],
      };
      if (this.#waiting.length >= WAITING_MAX)
        return answer(refuse.unavailable('too many pushes wait to be stored', 1_000));
      if (this.#state === 'dropped') return answer(refuse.unavailable('the document is moving', 100));
      if (this.#state === 'settling') this.#waiting.push(waiting);
      else this.#judge(waiting);
    });
  }

  /** What waits to be stored, in order, up to the bounds and at least one entry; undefined: nothing, or not now. */
  takeBatch(epoch: Epoch, entriesMax: number, bytesMax: number): Batch | undefined {
    if (this.#state !== 'live' || this.#inFlightTo !== undefined) return undefined;
    const entries: PlacedEntry[] = [];
    let bytes = 0;
    for (const { place } of this.#waiting) {
      if (place.kind !== 'entry') continue;
      const { length } = place.entry.opsText;
      if (entries.length >= entriesMax || (entries.length > 0 && bytes + length > bytesMax)) break;
      entries.push(place.entry);
      bytes += length;
    }
    if (entries.length === 0) return undefined;
    this.#inFlightTo = entries.at(-1)!.seq;
    return { document: this.id, slot: this.slot, epoch, head: this.#committed, entries, bytes };
  }

  /** The flush in flight is in the log: show it, then answer. */
  commit(): void {
    if (this.#state === 'dropped') return;
    const to = this.#inFlightTo!;
    this.#inFlightTo = undefined;
    const entries: PlacedEntry[] = [];
    let done = 0;
    for (const { place, push } of this.#waiting) {
      if (place.kind === 'entry') {
        if (place.entry.seq > to) break;
        this.#speculation.commit(place.changes);
        this.#committedEntry(place.entry, place.changes);
        if (place.answer !== undefined) this.#marks.commit(push.writer, place.entry, place.answer);
        entries.push(place.entry);
      }
      done++;
    }
    const answered = this.#waiting.splice(0, done);
    this.#show(entries);
    for (const waiting of answered) this.#answer(waiting);
  }

  /** The flush in flight was refused with an error: it is not in the log and goes again. `poison`: it never will be. */
  takeBack(poison: boolean): void {
    if (this.#state === 'dropped') return;
    const first = this.#waiting.find(({ place }) => place.kind === 'entry');
    this.#inFlightTo = undefined;
    if (!poison || first === undefined) return;
    first.isPoison = true;
    this.replay([]);
  }

  /** What became of the flush in flight is not known, or the log is not as it should be: judge nothing until `replay`. */
  settle(): void {
    if (this.#state === 'live') this.#state = 'settling';
  }

  /** `found`: the entries that the log holds above the committed head; it will get no others but by a later flush. */
  replay(found: readonly LoggedEntry[]): void {
    if (this.#state === 'dropped') return;
    const again = this.#waiting;
    this.#inFlightTo = undefined;
    this.#state = 'live';
    this.#speculation.forget();
    this.#marks.rollBack(again.map(({ push }) => push));
    this.#show(found.map((entry) => this.#commitLogged(entry)));
    this.#seq = this.#committed;
    this.#waiting = [];
    const inLog = new Map(found.map((entry) => [entry.seq, entry]));
    for (const waiting of again) {
      // A push that is not remembered is known by its place and the session that was made for it alone.
      const place = waiting.place;
      const twin = place.kind === 'entry' ? inLog.get(place.entry.seq) : undefined;
      if (twin !== undefined && isSame(twin, waiting.push)) this.#answer(waiting);
      else this.#judge(waiting);
    }
  }

  /**
   * Ownership has gone, or the node: everything that waits is answered, and nothing is committed here any more. `moved`
   * means to whoever asks again elsewhere that it was not stored: of a push in flight that nobody can know by its number
   * that is not said.
   */
  drop(refusal: Refusal): void {
    this.#state = 'dropped';
    this.#frames.stop();
    const mayBeStored = refuse.unavailable('what became of this push is not known: it may be stored', 1_000);
    for (const { askers, place, push } of this.#waiting.splice(0)) {
      const isInFlight = place.kind === 'entry' && place.entry.seq <= (this.#inFlightTo ?? 0);
      for (const { answer } of askers) answer(isInFlight && push.opNo === 0 ? mayBeStored : refusal);
    }
  }

  /**
   * Tells those who have waited since before `beforeMs` to ask again. Their pushes keep their places, and what they ask
   * again joins them.
   */
  excuse(beforeMs: number, refusal: Refusal): void {
    for (const waiting of this.#waiting) {
      const late = waiting.askers.filter(({ sinceMs }) => sinceMs < beforeMs);
      if (late.length === 0) continue;
      waiting.askers = waiting.askers.filter(({ sinceMs }) => sinceMs >= beforeMs);
      for (const { answer } of late) answer(refusal);
    }
    this.#waiting = this.#waiting.filter(({ place, askers }) => place.kind !== 'arrived' || askers.length > 0);
  }

  // ── reads: committed state only ──────────────────────────────────────────────────────────────────────────────────

  read({ keys, prefix }: Pick<ReadRequest, 'keys' | 'prefix'>): { readonly [key: string]: RecordState } {
    this.lastUsedMs = this.#clock.monotonicMs();
    const records: { [key: string]: RecordState } = {};
    if (keys !== undefined) {
      for (const key of keys) {
        const record = this.#records.get(key);
        if (record !== undefined && key.startsWith(prefix ?? ''))
          records[key] = { value: record.value, seq: record.seq };
      }
      return records;
    }
    for (const [key, { value, seq }] of this.#records)
      if (prefix === undefined || key.startsWith(prefix)) records[key] = { value, seq };
    return records;
  }

  /** The pages that bring a copy at `since`, or an empty one, to the head. Frames made before this call are sent first. */
  pages(since: Position | undefined): Pages {
    this.#frames.flush();
    this.lastUsedMs = this.#clock.monotonicMs();
    if (since !== undefined && since.timeline === this.#timeline && since.seq <= this.#committed) {
      const tail = this.#recent.from((since.seq + 1) as Seq, this.#committed);
      if (tail !== undefined) return tailPages(tail);
    }
    return snapshotPages(this.#records);
  }

  /** A page may show what a held frame tells: the frame goes first. */
  nextPage(pages: Pages): Page | undefined {
    this.#frames.flush();
    return pages.next().value;
  }

  recentFrom(from: Seq): readonly Entry[] | undefined {
    return this.#recent.from(from, this.#committed);
  }

  recall(user: UserId, session: SessionId): SessionRecall {
    return this.#marks.recall(user, session);
  }

  /** Frames that are held leave now: a beacon must not run ahead of them. */
  flushFrames(): void {
    this.#frames.flush();
  }

  // ── checkpoint ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everything that changed since the last checkpoint, as it stands at the head. One at a time. */
  planCheckpoint(): CheckpointPlan {
    return this.#checkpoint.begin(this.#committed, this.#records, this.#marks, this.#clock.wallMs());
  }

  endCheckpoint(plan: CheckpointPlan, done: boolean): void {
    this.#checkpoint.end(plan, done);
  }

  get checkpointDebt(): number {
    return this.#checkpoint.debt(this.#committed);
  }

  // ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #judge(waiting: Waiting): void {
    const { push } = waiting;
    const opsText = JSON.stringify(push.ops);
    const digest = fingerprint(opsText);
    if (waiting.isPoison)
      return this.#refuse(waiting, refuse.invalid('ops', 'the database can not store this push'), digest);
    if (push.opNo > 0) {
      const judgement = this.#marks.judge(push, digest, this.#timeline);
      switch (judgement.kind) {
        case 'answered':
          return answerAll(waiting, judgement.reply);
        case 'waiting':
          judgement.waiting.askers.push(...waiting.askers);
          return;
        case 'refused':
          return this.#refuse(waiting, judgement.refusal, undefined);
        case 'evaluate':
          break;
      }
    }
    const evaluated = evaluate(push.ops, push.writer, (this.#seq + 1) as Seq, this.#speculation);
    if (!evaluated.ok) return this.#refuse(waiting, evaluated, digest);
    const seq = ++(this.#seq as number) as Seq;
    const { user, session, opNo, after } = push;
    const entry: PlacedEntry = { seq, session, opNo, after, user, at: this.#clock.wallMs(), opsText };
    const answer = opNo > 0 ? this.#marks.await(push, digest, waiting, 'accepted', entry.at) : undefined;
    waiting.place = { kind: 'entry', entry, changes: evaluated.changes, answer };
    this.#speculation.add(evaluated.changes);
    this.#waiting.push(waiting);
  }

  #refuse(waiting: Waiting, refusal: Refusal, digest: number | undefined): void {
    const { push } = waiting;
    let answer: Answer<Waiting> | number | undefined = push.opNo > 0 ? digest : undefined;
    if (answer !== undefined && this.#waiting.length > 0)
      answer = this.#marks.await(push, answer, waiting, 'refused', this.#clock.wallMs());
    waiting.place = { kind: 'refusal', refusal, answer };
    if (this.#waiting.length === 0) this.#answer(waiting);
    else this.#waiting.push(waiting);
  }

  #answer(waiting: Waiting): void {
    const { place, push } = waiting;
    switch (place.kind) {
      case 'entry':
        return answerAll(waiting, { ok: true, position: { timeline: this.#timeline, seq: place.entry.seq } });
      case 'refusal':
        if (place.answer !== undefined) this.#marks.refuse(push, place.answer, place.refusal, this.#clock.wallMs());
        return answerAll(waiting, place.refusal);
      case 'arrived':
        throw new Error('a push that was not judged can not be answered');
    }
  }

  /** A frame that nobody would get is not made. */
  #show(entries: readonly PlacedEntry[]): void {
    if (this.readers > 0 || this.isRelayed) this.#frames.add(entries);
  }

  #commitLogged(logged: LoggedEntry): PlacedEntry {
    const writer = sessionKey(logged.user, logged.session);
    const changes = changesOf(logged.ops, writer, logged.seq, this.#records);
    for (const change of changes) this.#records.install(change);
    const entry = placed(logged);
    this.#committedEntry(entry, changes);
    if (entry.opNo > 0) this.#marks.commit(writer, entry, fingerprint(entry.opsText));
    return entry;
  }

  #committedEntry(entry: PlacedEntry, changes: readonly Change[]): void {
    if (entry.seq !== this.#committed + 1) throw new Error(`entry ${entry.seq} does not follow ${this.#committed}`);
    this.#committed = entry.seq;
    this.#recent.add(entry);
    this.#checkpoint.changed(changes, entry.seq);
  }
}
