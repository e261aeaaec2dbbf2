/**
 * What a document remembers of each session, so that a push has one effect however often it is sent: the last accepted
 * opNo, and the answers to the last 64. Marks are folded into checkpoints and rebuilt from them and the log's tail, so
 * a new owner has seen every accepted opNo before it accepts another.
 *
 * A mark is pending-aware: `accepted` counts pushes that were given a place and are not committed yet; `committed` is
 * where it returns to when they are taken back.
 */
import {
  LIMITS,
  digest as digestOf,
  refuse,
  type Op,
  type Position,
  type PushReply,
  type Refusal,
  type Seq,
  type SessionId,
  type SessionRecall,
  type Timeline,
  type UserId,
} from '@homeport/protocol';
import type { LoggedEntry, SessionMarkRow } from './document-log.js';

/** Identifies a session: the authenticated user is part of it. A session id has no space, so this is unambiguous. */
export function sessionKey(user: UserId, session: SessionId): string {
  return `${session} ${user}`;
}

export interface Numbered {
  readonly user: UserId;
  readonly session: SessionId;
  /** 1, 2, 3 …; 0: a push that nobody will repeat, and that is not remembered. */
  readonly opNo: number;
  readonly after: number;
  /** Undefined: the sender vouches that the session is not older than what is remembered. */
  readonly base?: Seq;
  readonly ops: readonly Op[];
}

/** How the answers so far bear on a push. */
export type Judgement<Waiting> =
  | { readonly kind: 'evaluate' }
  | { readonly kind: 'answered'; readonly reply: PushReply }
  | { readonly kind: 'waiting'; readonly waiting: Waiting }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

type Answer<Waiting> =
  | { readonly state: 'acked'; readonly digest: string; readonly seq: Seq }
  | { readonly state: 'refused'; readonly digest: string; readonly refusal: Refusal }
  | { readonly state: 'waiting'; readonly digest: string; readonly waiting: Waiting };

interface Mark<Waiting> {
  readonly user: UserId;
  readonly session: SessionId;
  committed: number;
  accepted: number;
  seq: Seq;
  at: number;
  /** By opNo, oldest first. */
  readonly answers: Map<number, Answer<Waiting>>;
}

const ANSWERS_MAX = LIMITS.pendingPushes;
export const MARKS_MAX = 10_000;
export const MARK_KEPT_MS = 24 * 60 * 60 * 1000;

export class SessionMarks<Waiting> {
  /** By session key. */
  readonly #marks = new Map<string, Mark<Waiting>>();
  #forgottenTo: Seq;

  constructor(rows: readonly SessionMarkRow[], forgottenTo: Seq) {
    this.#forgottenTo = forgottenTo;
    for (const row of rows) {
      const answers = new Map<number, Answer<Waiting>>();
      for (const [opNo, seq, digest] of row.recent) answers.set(opNo, { state: 'acked', digest, seq });
      const { user, session, accepted, seq, at } = row;
      this.#marks.set(sessionKey(user, session), { user, session, committed: accepted, accepted, seq, at, answers });
    }
  }

  get forgottenTo(): Seq {
    return this.#forgottenTo;
  }

  judge(push: Numbered, digest: string, timeline: Timeline): Judgement<Waiting> {
    const mark = this.#marks.get(sessionKey(push.user, push.session));
    if (mark === undefined) {
      if (push.base !== undefined && push.base < this.#forgottenTo) return refused(refuse.expired());
      return push.after === 0 ? { kind: 'evaluate' } : refused(refuse.gap(0));
    }
    const answer = mark.answers.get(push.opNo);
    if (answer !== undefined) {
      if (answer.digest !== digest)
        return refused(refuse.sessionConflict(`push ${push.opNo} of this session had another content`));
      switch (answer.state) {
        case 'acked':
          return { kind: 'answered', reply: { ok: true, position: position(timeline, answer.seq) } };
        case 'refused':
          return { kind: 'answered', reply: answer.refusal };
        case 'waiting':
          return { kind: 'waiting', waiting: answer.waiting };
      }
    }
    if (push.opNo <= mark.accepted) return refused(refuse.superseded());
    return push.after === mark.accepted ? { kind: 'evaluate' } : refused(refuse.gap(mark.accepted));
  }

  /** The push has a place, or waits to be refused: a repetition joins it. */
  await(push: Numbered, digest: string, waiting: Waiting, outcome: 'accepted' | 'refused', wallMs: number): void {
    const mark = this.#markOf(push, wallMs);
    if (outcome === 'accepted') mark.accepted = push.opNo;
    remember(mark, push.opNo, { state: 'waiting', digest, waiting });
  }

  /** The entry is committed, whether it was awaited here or comes from the log. */
  commit(entry: LoggedEntry, digest = digestOf(JSON.stringify(entry.ops))): void {
    const mark = this.#markOf(entry, entry.at);
    mark.committed = entry.opNo;
    mark.accepted = Math.max(mark.accepted, entry.opNo);
    mark.seq = entry.seq;
    mark.at = entry.at;
    remember(mark, entry.opNo, { state: 'acked', digest, seq: entry.seq });
  }

  /** The push was refused, for good: a repetition hears the same. */
  refuse(push: Numbered, digest: string, refusal: Refusal, wallMs: number): void {
    remember(this.#markOf(push, wallMs), push.opNo, { state: 'refused', digest, refusal });
  }

  /** Nothing is pending any more: every mark is back where the log has it. */
  rollBack(pushes: Iterable<Numbered>): void {
    for (const push of pushes) {
      const mark = this.#marks.get(sessionKey(push.user, push.session));
      if (mark === undefined) continue;
      mark.accepted = mark.committed;
      for (const [opNo, answer] of mark.answers) if (answer.state === 'waiting') mark.answers.delete(opNo);
      if (mark.answers.size === 0 && mark.committed === 0) this.#marks.delete(sessionKey(push.user, push.session));
    }
  }

  /** What `open` tells a session about itself: committed state only. */
  recall(user: UserId, session: SessionId): SessionRecall {
    const mark = this.#marks.get(sessionKey(user, session));
    if (mark === undefined) return { accepted: 0, recent: [] };
    const recent: [number, Seq][] = [];
    for (const [opNo, answer] of mark.answers) if (answer.state === 'acked') recent.push([opNo, answer.seq]);
    return { accepted: mark.committed, recent };
  }

  /** Marks to store with a checkpoint at `head`: those accepted after `since`. */
  changedSince(since: Seq): SessionMarkRow[] {
    const rows: SessionMarkRow[] = [];
    for (const { user, session, committed, seq, at, answers } of this.#marks.values()) {
      if (seq <= since || committed === 0) continue;
      const recent: [number, Seq, string][] = [];
      for (const [opNo, answer] of answers)
        if (answer.state === 'acked') recent.push([opNo, answer.seq, answer.digest]);
      rows.push({ user, session, accepted: committed, recent, seq, at });
    }
    return rows;
  }

  /** Forgets the marks that are too old or too many, the oldest first; answers whom. Never one that awaits something. */
  forget(wallMs: number): { readonly user: UserId; readonly session: SessionId }[] {
    const forgotten = [];
    const settled = [...this.#marks].filter(([, mark]) => mark.accepted === mark.committed && !hasWaiting(mark));
    settled.sort(([, one], [, other]) => one.seq - other.seq);
    for (const [key, mark] of settled) {
      if (this.#marks.size <= MARKS_MAX && mark.at > wallMs - MARK_KEPT_MS) continue;
      this.#marks.delete(key);
      if (mark.seq > this.#forgottenTo) this.#forgottenTo = mark.seq;
      forgotten.push({ user: mark.user, session: mark.session });
    }
    return forgotten;
  }

  #markOf({ user, session }: { user: UserId; session: SessionId }, at: number): Mark<Waiting> {
    const key = sessionKey(user, session);
    let mark = this.#marks.get(key);
    if (mark === undefined) {
      mark = { user, session, committed: 0, accepted: 0, seq: 0 as Seq, at, answers: new Map() };
      this.#marks.set(key, mark);
    }
    return mark;
  }
}

/** Keeps the last 64. A client has at most 64 unanswered, so none that it may repeat is dropped. */
function remember<Waiting>(mark: Mark<Waiting>, opNo: number, answer: Answer<Waiting>): void {
  mark.answers.set(opNo, answer);
  if (mark.answers.size <= ANSWERS_MAX) return;
  for (const [oldest, { state }] of mark.answers) {
    if (state === 'waiting') continue;
    mark.answers.delete(oldest);
    return;
  }
}

function hasWaiting<Waiting>(mark: Mark<Waiting>): boolean {
  for (const { state } of mark.answers.values()) if (state === 'waiting') return true;
  return false;
}

function position(timeline: Timeline, seq: Seq): Position {
  return { timeline, seq };
}

function refused(refusal: Refusal): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal };
}
