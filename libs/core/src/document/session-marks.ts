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
  hexOf,
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
import type { SessionMarkRow } from './document-log.js';
import type { PlacedEntry } from './entry.js';

/** Identifies a session: the authenticated user is part of it. A session id has no space, so this is unambiguous. */
export function sessionKey(user: UserId, session: SessionId): string {
  return `${session} ${user}`;
}

export interface Numbered {
  readonly user: UserId;
  readonly session: SessionId;
  /** `sessionKey` of the two, made once for a session: it is looked up several times for each push. */
  readonly writer: string;
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

type Outcome<Waiting> =
  | { readonly state: 'acked'; readonly seq: Seq }
  | { readonly state: 'refused'; readonly refusal: Refusal }
  | { readonly state: 'waiting'; readonly waiting: Waiting };

/** What became of one opNo. `digest`: the fingerprint of its ops, so that another content is not taken for the same. */
export interface Answer<Waiting> {
  readonly opNo: number;
  readonly digest: number;
  outcome: Outcome<Waiting>;
}

interface Mark<Waiting> {
  readonly user: UserId;
  readonly session: SessionId;
  committed: number;
  accepted: number;
  seq: Seq;
  at: number;
  /** Oldest first. */
  answers: Answer<Waiting>[];
  /** No opNo above it was ever answered or awaited. */
  highest: number;
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
      const { user, session, accepted, seq, at, recent } = row;
      const answers = recent.map(([opNo, ackedSeq, hex]): Answer<Waiting> => {
        return { opNo, digest: Number.parseInt(hex, 16), outcome: { state: 'acked', seq: ackedSeq } };
      });
      const mark = { user, session, committed: accepted, accepted, seq, at, answers, highest: accepted };
      this.#marks.set(sessionKey(user, session), mark);
    }
  }

  get forgottenTo(): Seq {
    return this.#forgottenTo;
  }

  judge(push: Numbered, digest: number, timeline: Timeline): Judgement<Waiting> {
    const mark = this.#marks.get(push.writer);
    if (mark === undefined) {
      if (push.base !== undefined && push.base < this.#forgottenTo) return refused(refuse.expired());
      return push.after === 0 ? { kind: 'evaluate' } : refused(refuse.gap(0));
    }
    const answer = push.opNo > mark.highest ? undefined : mark.answers.find(({ opNo }) => opNo === push.opNo);
    if (answer !== undefined) {
      if (answer.digest !== digest)
        return refused(refuse.sessionConflict(`push ${push.opNo} of this session had another content`));
      const { outcome } = answer;
      switch (outcome.state) {
        case 'acked':
          return { kind: 'answered', reply: { ok: true, position: position(timeline, outcome.seq) } };
        case 'refused':
          return { kind: 'answered', reply: outcome.refusal };
        case 'waiting':
          return { kind: 'waiting', waiting: outcome.waiting };
      }
    }
    if (push.opNo <= mark.accepted) return refused(refuse.superseded());
    return push.after === mark.accepted ? { kind: 'evaluate' } : refused(refuse.gap(mark.accepted));
  }

  /** The push has a place, or waits to be refused: a repetition joins it. */
  await(
    push: Numbered,
    digest: number,
    waiting: Waiting,
    outcome: 'accepted' | 'refused',
    wallMs: number,
  ): Answer<Waiting> {
    const mark = this.#markOf(push, wallMs);
    if (outcome === 'accepted') mark.accepted = push.opNo;
    return remember(mark, { opNo: push.opNo, digest, outcome: { state: 'waiting', waiting } });
  }

  /** The entry is committed. `answer`: as it was awaited here; a number: of its ops, as it comes from the log. */
  commit(writer: string, entry: PlacedEntry, answer: Answer<Waiting> | number): void {
    const { seq, opNo, at, user, session } = entry;
    const mark = this.#markOf({ user, session, writer }, at);
    mark.committed = opNo;
    mark.accepted = Math.max(mark.accepted, opNo);
    mark.seq = seq;
    mark.at = at;
    const outcome: Outcome<Waiting> = { state: 'acked', seq };
    if (typeof answer === 'number') remember(mark, { opNo, digest: answer, outcome });
    else settle(mark, answer, outcome);
  }

  /** The push was refused, for good: a repetition hears the same. `answer`: as it was awaited here. */
  refuse(push: Numbered, answer: Answer<Waiting> | number, refusal: Refusal, wallMs: number): void {
    const mark = this.#markOf(push, wallMs);
    const outcome: Outcome<Waiting> = { state: 'refused', refusal };
    if (typeof answer === 'number') remember(mark, { opNo: push.opNo, digest: answer, outcome });
    else settle(mark, answer, outcome);
  }

  /** Nothing is pending any more: every mark is back where the log has it. */
  rollBack(pushes: Iterable<Numbered>): void {
    for (const push of pushes) {
      const mark = this.#marks.get(push.writer);
      if (mark === undefined) continue;
      mark.accepted = mark.committed;
      mark.answers = mark.answers.filter(({ outcome }) => outcome.state !== 'waiting');
      if (mark.answers.length === 0 && mark.committed === 0) this.#marks.delete(push.writer);
    }
  }

  /** What `open` tells a session about itself: committed state only. */
  recall(user: UserId, session: SessionId): SessionRecall {
    const mark = this.#marks.get(sessionKey(user, session));
    if (mark === undefined) return { accepted: 0, recent: [] };
    const recent: [number, Seq][] = [];
    for (const { opNo, outcome } of mark.answers) if (outcome.state === 'acked') recent.push([opNo, outcome.seq]);
    return { accepted: mark.committed, recent };
  }

  /** Marks to store with a checkpoint at `head`: those accepted after `since`. */
  changedSince(since: Seq): SessionMarkRow[] {
    const rows: SessionMarkRow[] = [];
    for (const { user, session, committed, seq, at, answers } of this.#marks.values()) {
      if (seq <= since || committed === 0) continue;
      const recent: [number, Seq, string][] = [];
      for (const { opNo, digest, outcome } of answers)
        if (outcome.state === 'acked') recent.push([opNo, outcome.seq, hexOf(digest)]);
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

  #markOf({ user, session, writer }: Pick<Numbered, 'user' | 'session' | 'writer'>, at: number): Mark<Waiting> {
    let mark = this.#marks.get(writer);
    if (mark === undefined) {
      mark = { user, session, committed: 0, accepted: 0, seq: 0 as Seq, at, answers: [], highest: 0 };
      this.#marks.set(writer, mark);
    }
    return mark;
  }
}

function remember<Waiting>(mark: Mark<Waiting>, answer: Answer<Waiting>): Answer<Waiting> {
  mark.answers.push(answer);
  mark.highest = Math.max(mark.highest, answer.opNo);
  forgetOldest(mark);
  return answer;
}

function settle<Waiting>(mark: Mark<Waiting>, answer: Answer<Waiting>, outcome: Outcome<Waiting>): void {
  answer.outcome = outcome;
  forgetOldest(mark);
}

/** Keeps the last 64. A client has at most 64 unanswered, so none that it may repeat is dropped. */
function forgetOldest<Waiting>({ answers }: Mark<Waiting>): void {
  if (answers.length <= ANSWERS_MAX) return;
  const settled = answers.findIndex(({ outcome }) => outcome.state !== 'waiting');
  if (settled === 0) answers.shift();
  else if (settled > 0) answers.splice(settled, 1);
}

function hasWaiting<Waiting>(mark: Mark<Waiting>): boolean {
  return mark.answers.some(({ outcome }) => outcome.state === 'waiting');
}

function position(timeline: Timeline, seq: Seq): Position {
  return { timeline, seq };
}

function refused(refusal: Refusal): { readonly kind: 'refused'; readonly refusal: Refusal } {
  return { kind: 'refused', refusal };
}
