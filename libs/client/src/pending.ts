/**
 * The pushes of one board that are not part of the confirmed state yet, in the order in which they were made.
 *
 *   unsent → sent → acked → (gone, when state at or above its seq was applied: before that its effect would flicker)
 *             ↓↑
 *             due   was sent and must go again, as it is and under the same number: its channel ended, or it was
 *                   answered that it has not been looked at
 *
 * A push gets its opNo when it is first sent. Number and ops never change after that, so the owner can tell a repetition
 * from something new. Sent and due ones come before unsent ones. A refused push is taken out; its number stays used.
 */
import type { Op, Position, Seq, SessionRecall } from '@homeport/protocol';
import type { Commit } from './commit.js';
import { fold, type Folding } from './fold.js';
import type { HomeportError } from './homeport-error.js';
import { PendingPush, type PushKind, type Sent, type Stage } from './pending-push.js';

/** Acknowledged pushes that are kept, to be sent again if the server should lose history. */
export const KEPT_MAX = 100;
/** Pushes that wait to be sent. Beyond that a write is refused: something is wrong with an application that goes on. */
export const UNSENT_MAX = 10_000;

/** A push that was acknowledged; `session` counts this client's sessions. */
interface Kept {
  readonly session: number;
  readonly opNo: number;
  readonly seq: Seq;
  readonly ops: readonly Op[];
}

/** What goes over the wire with a push besides its ops. */
export interface Numbering {
  readonly opNo: number;
  readonly after: number;
  readonly base?: Seq;
}

/** How much a push may hold: `bytes` where writes are merged into it, `messageBytes` in any case. */
export interface Room {
  readonly ops: number;
  readonly bytes: number;
  readonly messageBytes: number;
}

export class Pending {
  #pushes: PendingPush[] = [];
  #kept: Kept[] = [];
  /** How many sessions there were before this one. */
  #session = 0;
  #usedOpNo: number;
  #lastAcked = 0;
  #ackedSeq = 0 as Seq;
  /** The seq of the session's last ack here, or of its first open; undefined before that. */
  #base: Seq | undefined;

  /** `usedOpNo`: numbers up to it were used in this session by an earlier board of the document. */
  constructor(usedOpNo: number) {
    this.#usedOpNo = usedOpNo;
  }

  get usedOpNo(): number {
    return this.#usedOpNo;
  }

  /** The highest seq that was acknowledged on the present timeline. */
  get ackedSeq(): Seq {
    return this.#ackedSeq;
  }

  /** All whose effect is not in the confirmed state, in order. */
  *ops(): Iterable<readonly Op[]> {
    for (const push of this.#pushes) yield push.ops;
  }

  /** Pushes that are not acknowledged. */
  get count(): number {
    return this.#pushes.length - this.#numbered('acked').length;
  }

  /** Of these, those that were sent at some time. */
  get unanswered(): number {
    return this.#numbered('sent', 'due').length;
  }

  get sent(): readonly PendingPush[] {
    return this.#numbered('sent');
  }

  get due(): readonly PendingPush[] {
    return this.#numbered('due');
  }

  get full(): boolean {
    return this.#pushes.length >= UNSENT_MAX;
  }

  get oldestUnsent(): PendingPush | undefined {
    return this.#pushes.find(({ stage }) => stage.at === 'unsent');
  }

  /** Queues a write, by itself or in the push before it. Undefined: it is too large for one message. */
  add(kind: PushKind, ops: readonly Op[], room: Room): Commit | undefined {
    const push = new PendingPush(kind, ops);
    if (push.folding.bytes > room.messageBytes) return undefined;
    const last = kind === 'mergeable' ? this.#foldable(push.folding, room) : undefined;
    if (last !== undefined) {
      for (const op of ops) fold(last.folding, op);
      return last.wait();
    }
    this.#pushes.push(push);
    return push.wait();
  }

  /** Everything that is not acknowledged now. */
  waitForAll(): Commit[] {
    return this.#pushes.filter(({ stage }) => stage.at !== 'acked').map((push) => push.wait());
  }

  /** How many numbers there may be from the oldest unanswered push to the next one: the owner remembers so many answers. */
  spread(): number {
    for (const { stage } of this.#pushes) {
      if (stage.at === 'sent' || stage.at === 'due') return this.#usedOpNo - stage.opNo + 1;
    }
    return 0;
  }

  /** The push goes out now. */
  send(push: PendingPush, nowMs: number): Numbering {
    const { stage } = push;
    const numbered = stage.at === 'due' ? stage : { opNo: ++this.#usedOpNo, firstSentMs: nowMs };
    push.stage = { at: 'sent', opNo: numbered.opNo, firstSentMs: numbered.firstSentMs };
    const after = this.#before(push, numbered.opNo);
    return { opNo: numbered.opNo, after, ...(this.#base !== undefined && { base: this.#base }) };
  }

  /** It must go again. */
  sendAgain(push: PendingPush): void {
    if (push.stage.at === 'sent') push.stage = { ...push.stage, at: 'due' };
  }

  /** Answers the stage in which it was sent, if this is an acknowledgement that was still missing. */
  acknowledge(opNo: number, position: Position): Sent | undefined {
    const push = this.#pushes.find(({ stage }) => (stage.at === 'sent' || stage.at === 'due') && stage.opNo === opNo);
    if (push === undefined || push.stage.at === 'acked' || push.stage.at === 'unsent') return undefined;
    const { firstSentMs } = push.stage;
    push.stage = { at: 'acked', opNo, seq: position.seq };
    this.#lastAcked = Math.max(this.#lastAcked, opNo);
    this.#ackedSeq = Math.max(this.#ackedSeq, position.seq) as Seq;
    this.#base = Math.max(this.#base ?? 0, position.seq) as Seq;
    this.#kept.push({ session: this.#session, opNo, seq: position.seq, ops: push.ops });
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    push.resolve({ position });
    return { at: 'sent', opNo, firstSentMs };
  }

  /** State up to `seq` is confirmed: what is in it is not pending any more. */
  applied(seq: Seq): void {
    const gone = this.#numbered('acked').filter(({ stage }) => stage.at === 'acked' && stage.seq <= seq);
    if (gone.length > 0) this.#pushes = this.#pushes.filter((push) => !gone.includes(push));
  }

  remove(push: PendingPush, error: HomeportError): readonly Commit[] {
    this.#pushes = this.#pushes.filter((other) => other !== push);
    return push.reject(error);
  }

  /** The first open of this session: where its pushes begin. */
  begin(position: Position, accepted: number): void {
    if (this.#base !== undefined) return;
    this.#base = position.seq;
    this.#lastAcked = accepted;
    this.#usedOpNo = Math.max(this.#usedOpNo, accepted);
  }

  /** How what the owner remembers of this session fits what is known here. */
  judge({ accepted }: SessionRecall): 'fits' | 'behind' | 'forgotten' | 'foreign' {
    if (this.#base === undefined || accepted === this.#lastAcked) return 'fits';
    if (accepted < this.#lastAcked) return accepted === 0 ? 'forgotten' : 'behind';
    const known = this.#pushes.some(({ stage }) => stage.at !== 'unsent' && stage.opNo === accepted);
    return known ? 'fits' : 'foreign';
  }

  /**
   * The server lost history, all of this session's pushes above `accepted` with it. They, the acknowledged ones among
   * them, are new pushes again, in their old order. Of what was written in earlier sessions only that is known to be
   * lost which stood above `head`.
   */
  requeue(accepted: number, head: Seq): void {
    const isLost = ({ session, opNo, seq }: Kept): boolean =>
      session === this.#session ? opNo > accepted : seq > head;
    const lost = this.#kept.filter(isLost).map(({ ops }) => new PendingPush('whole', ops));
    const rest = this.#pushes.filter(({ stage }) => stage.at !== 'acked');
    for (const push of rest) push.stage = { at: 'unsent' };
    this.#pushes = [...lost, ...rest];
    this.#kept = this.#kept.filter((kept) => !isLost(kept));
    this.#lastAcked = accepted;
    this.#ackedSeq = 0 as Seq;
  }

  /** Gives up what was sent and not answered: nobody can tell what became of it. Answers the rejected promises. */
  expire(error: HomeportError): { readonly pushes: number; readonly commits: readonly Commit[] } {
    const gone = this.#numbered('sent', 'due');
    this.#pushes = this.#pushes.filter((push) => !gone.includes(push));
    return { pushes: gone.length, commits: gone.flatMap((push) => push.reject(error)) };
  }

  /** Gives up everything. */
  abandon(error: HomeportError): readonly Commit[] {
    const gone = this.#pushes;
    this.#pushes = [];
    return gone.flatMap((push) => push.reject(error));
  }

  /** A new session: its numbers begin at 1. Nothing is sent and unanswered at this moment. */
  renumber(): void {
    this.#usedOpNo = 0;
    this.#lastAcked = 0;
    this.#base = undefined;
    this.#session++;
  }

  /** The youngest push, if what is written now may be folded into it. */
  #foldable({ ops, bytes }: Folding, room: Room): PendingPush | undefined {
    const last = this.#pushes.at(-1);
    if (last?.stage.at !== 'unsent' || last.kind !== 'mergeable') return undefined;
    const fits = last.ops.length + ops.length <= room.ops && last.folding.bytes + bytes <= room.bytes;
    return fits ? last : undefined;
  }

  /** Those that have a number come first, so the unsent ones, which may be many, are not looked through. */
  #numbered(...stages: readonly Stage['at'][]): readonly PendingPush[] {
    const found: PendingPush[] = [];
    for (const push of this.#pushes) {
      if (push.stage.at === 'unsent') break;
      if (stages.includes(push.stage.at)) found.push(push);
    }
    return found;
  }

  /** The opNo of the last push before `push` that was not refused. */
  #before(push: PendingPush, opNo: number): number {
    let before = this.#lastAcked;
    for (const other of this.#numbered('sent', 'due')) {
      if (other === push || other.stage.at === 'unsent') break;
      before = other.stage.opNo;
    }
    // Told to ask again while those behind it were answered, it is in the log before them: its number says where.
    return Math.min(before, opNo - 1);
  }
}
