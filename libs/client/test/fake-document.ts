/**
 * One document of the fake server: the documented behaviour of an owner, in as few lines as it takes. What is evaluated
 * waits for `commit`; what is not committed is lost by `crash`.
 */
import {
  applyOp,
  canonicalJson,
  digest,
  holds,
  refuse,
  type Entry,
  type Json,
  type Op,
  type PushReply,
  type PushRequest,
  type Refusal,
  type Seq,
  type SessionRecall,
  type Stored,
} from '@homeport/protocol';

type Answer = (reply: PushReply) => void;

interface Mark {
  accepted: number;
  /** By opNo, oldest first. No reply yet: it waits for the commit. */
  readonly answers: Map<number, { readonly digest: string; reply?: PushReply; readonly waiting: Answer[] }>;
}

const ANSWERS_MAX = 64;

export class FakeDocument {
  timeline = 'timeline-1';
  log: Entry[] = [];
  records = new Map<string, Stored>();
  #ahead = new Map<string, Stored>();
  #pending: Entry[] = [];
  #afterCommit: (() => void)[] = [];
  #marks = new Map<string, Mark>();
  #forgottenTo = 0;

  get head(): Seq {
    return this.log.length as Seq;
  }

  get waits(): boolean {
    return this.#pending.length > 0;
  }

  recall(user: string, session: string): SessionRecall {
    const mark = this.#marks.get(`${user} ${session}`);
    const recent: [number, Seq][] = [];
    for (const [opNo, { reply }] of mark?.answers ?? []) if (reply?.ok) recent.push([opNo, reply.position.seq]);
    return { accepted: mark?.accepted ?? 0, recent };
  }

  push({ opNo, after, base, ops }: PushRequest, user: string, session: string, answer: Answer): void {
    const name = `${user} ${session}`;
    const content = digest(canonicalJson(ops as unknown as Json));
    let mark = this.#marks.get(name);
    const known = mark?.answers.get(opNo);
    if (known !== undefined) {
      if (known.digest !== content) return answer(refuse.sessionConflict('another content under this number'));
      if (known.reply === undefined) known.waiting.push(answer);
      else answer(known.reply);
      return;
    }
    if (mark === undefined) {
      if ((base ?? 0) < this.#forgottenTo) return answer(refuse.expired());
      this.#marks.set(name, (mark = { accepted: 0, answers: new Map() }));
    }
    if (opNo < mark.accepted) return answer(refuse.superseded());
    if (after !== mark.accepted) return answer(refuse.gap(mark.accepted));
    const remembered = { digest: content, waiting: [answer] };
    mark.answers.set(opNo, remembered);
    if (mark.answers.size > ANSWERS_MAX) mark.answers.delete(mark.answers.keys().next().value!);
    const seq = (this.log.length + this.#pending.length + 1) as Seq;
    const refusal = this.#evaluate(ops, seq, session);
    const settle = (reply: PushReply): void => {
      Object.assign(remembered, { reply });
      for (const waiter of remembered.waiting.splice(0)) waiter(reply);
    };
    if (refusal !== undefined) {
      // It may have looked at what is not committed.
      if (this.waits) this.#afterCommit.push(() => settle(refusal));
      else settle(refusal);
      return;
    }
    mark.accepted = opNo;
    this.#pending.push({ seq, session, opNo, user, at: 0, ops });
    this.#afterCommit.push(() => settle({ ok: true, position: { timeline: this.timeline, seq } }));
  }

  /** Answers the entries that are committed now. */
  commit(): readonly Entry[] {
    const entries = this.#pending;
    this.#pending = [];
    this.log.push(...entries);
    this.records = new Map(this.#ahead);
    for (const settle of this.#afterCommit.splice(0)) settle();
    return entries;
  }

  /** The process dies: what is committed stays, and of it what can be told from the log. */
  crash(): void {
    this.#pending = [];
    this.#afterCommit = [];
    this.#ahead = new Map(this.records);
    const live = this.#marks;
    this.#marks = new Map();
    for (const { user, session, opNo, seq, ops } of this.log) {
      const name = `${user} ${session}`;
      if (!live.has(name)) continue;
      const mark = this.#marks.get(name) ?? { accepted: 0, answers: new Map() };
      this.#marks.set(name, mark);
      mark.accepted = opNo;
      const reply = { ok: true, position: { timeline: this.timeline, seq } } as const;
      mark.answers.set(opNo, { digest: digest(canonicalJson(ops as unknown as Json)), reply, waiting: [] });
      if (mark.answers.size > ANSWERS_MAX) mark.answers.delete(mark.answers.keys().next().value!);
    }
  }

  /** All sessions have been away for too long. */
  forget(): void {
    this.#forgottenTo = this.head;
    this.#marks.clear();
    this.crash();
  }

  /** A failover to a copy that lacks the last entries. */
  lose(entries: number, timeline: string): void {
    const log = this.log.slice(0, Math.max(0, this.log.length - entries));
    this.timeline = timeline;
    this.log = [];
    this.records = new Map();
    this.#ahead = new Map();
    for (const entry of log) {
      this.#evaluate(entry.ops, entry.seq, entry.session);
      this.log.push(entry);
    }
    this.records = new Map(this.#ahead);
    this.crash();
  }

  #evaluate(ops: readonly Op[], seq: Seq, session: string): Refusal | undefined {
    const changed = new Map<string, Stored | undefined>();
    for (const op of ops) {
      const current = changed.has(op.key) ? changed.get(op.key) : this.#ahead.get(op.key);
      const value = current?.value ?? null;
      if (op.if !== undefined && !holds(op.if, current, session)) return refuse.conflict(op.key, value, 'no');
      const applied = applyOp(current, op);
      if (!applied.ok) return refuse.conflict(op.key, value, applied.why);
      const othersSeq = (
        current === undefined ? 0 : current.writer === session ? current.othersSeq : current.seq
      ) as Seq;
      const next = { value: applied.value, seq, bytes: applied.bytes, writer: session, othersSeq };
      changed.set(op.key, next.value === undefined ? undefined : { ...next, value: next.value });
    }
    for (const [key, record] of changed) {
      if (record === undefined) this.#ahead.delete(key);
      else this.#ahead.set(key, record);
    }
    return undefined;
  }
}
