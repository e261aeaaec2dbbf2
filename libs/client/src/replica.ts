/**
 * The local copy of a document: what is confirmed, what is pending on top, and the position up to which it is confirmed.
 * It knows nothing of sockets. Every change of what is shown happens in here, and is told to the listeners after it
 * is complete, so that whoever is told reads the new state and may write at once.
 */
import {
  parseOps,
  type Entry,
  type Limits,
  type Op,
  type OpenedHead,
  type Position,
  type RecordState,
  type Seq,
  type SessionId,
  type Timeline,
  type UserId,
} from '@homeport/protocol';
import { AckSamples } from './ack-samples.js';
import type { Clock } from './clock.js';
import { Commit } from './commit.js';
import { HomeportError } from './homeport-error.js';
import { Listeners } from './listeners.js';
import { Pending } from './pending.js';
import type { PendingPush, PushKind } from './pending-push.js';
import type { Change, Origin } from './record-types.js';
import { View } from './view.js';

export interface ReplicaPort {
  readonly clock: Clock;
  /** The highest opNo that an earlier board of this document used in this session. */
  readonly usedOpNo: number;
  session(): SessionId;
  user(): UserId | undefined;
  report(error: unknown): void;
  /** A push that was sent is acknowledged, refused or given up. */
  answered(): void;
}

/** Room for what a push message carries besides its ops. */
const ENVELOPE_BYTES = 1_024;

export class Replica {
  readonly changes: Listeners<Change>;
  readonly pending: Pending;
  readonly ackSamples: AckSamples;
  readonly #port: ReplicaPort;
  readonly #view: View;
  #shown: Position | undefined;
  #position: Position | undefined;
  #expired = 0;

  constructor(port: ReplicaPort) {
    this.#port = port;
    this.changes = new Listeners((error) => port.report(error));
    this.pending = new Pending(port.usedOpNo);
    this.ackSamples = new AckSamples(port.clock);
    this.#view = new View(() => port.session());
  }

  /** What is shown is the document as of this position, plus what is pending. */
  get shown(): Position | undefined {
    return this.#shown;
  }

  /** What a read elsewhere must have reached to see what is shown and acknowledged here. The same object until it changed. */
  get position(): Position | undefined {
    const seq = Math.max(this.#shown?.seq ?? 0, this.pending.ackedSeq) as Seq;
    const timeline = this.#shown?.timeline;
    if (timeline === undefined) return undefined;
    if (this.#position?.seq !== seq || this.#position.timeline !== timeline) this.#position = { timeline, seq };
    return this.#position;
  }

  /** Pushes given up because nobody knows what became of them. */
  get expired(): number {
    return this.#expired;
  }

  records(): ReadonlyMap<string, RecordState> {
    return this.#view.records();
  }

  // ── own writes ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Shows the write and queues it, or refuses what the owner would refuse in any case. */
  write(
    written: readonly Op[],
    asked: PushKind,
    limits: Limits,
  ): { readonly commit: Commit; readonly queued?: PushKind } {
    const parsed = parseOps(written);
    if (!parsed.ok) return { commit: this.refuse(HomeportError.from(parsed)) };
    // A copy: the owner compares a repetition with the original, and the application may go on with its objects.
    const ops = structuredClone(parsed.value);
    const { refused, recordBytes } = this.#view.foresee(ops);
    // Writes that are merged share their fate, so one that looks bad travels alone.
    const kind = refused === undefined ? asked : 'whole';
    if (this.pending.full) return { commit: this.refuse(tooLarge('unsentPushes', 'too many writes wait to be sent')) };
    if (ops.length > limits.opsPerPush) {
      return { commit: this.refuse(tooLarge('opsPerPush', `a push takes at most ${limits.opsPerPush} ops`)) };
    }
    if (recordBytes > limits.recordBytes) {
      return { commit: this.refuse(tooLarge('recordBytes', `a record takes at most ${limits.recordBytes} bytes`)) };
    }
    const room = { ops: limits.opsPerPush, bytes: limits.opBytes, messageBytes: limits.messageBytes - ENVELOPE_BYTES };
    const commit = this.pending.add(kind, ops, room);
    if (commit === undefined) {
      return { commit: this.refuse(tooLarge('messageBytes', `a push takes at most ${room.messageBytes} bytes`)) };
    }
    this.#tell(this.#view.cover(ops), 'local');
    return { commit, queued: kind };
  }

  refuse(error: HomeportError): Commit {
    const { commit, reject } = Commit.make();
    reject(error);
    this.#reportUnawaited([commit], error);
    return commit;
  }

  /** The reply to a push said so. */
  acknowledged(opNo: number, position: Position): void {
    this.#acknowledge(opNo, position);
    if (this.#shown === undefined || position.seq > this.#shown.seq) return;
    this.pending.applied(this.#shown.seq);
    this.#rebase();
  }

  /** The owner refused it: as if it had never been written. */
  rollBack(push: PendingPush, error: HomeportError): void {
    const commits = this.pending.remove(push, error);
    this.#rebase();
    // A push without a promise was acknowledged before history was lost: somebody must hear of it.
    if (commits.length === 0) this.#port.report(error);
    this.#reportUnawaited(commits, error);
    this.#port.answered();
  }

  /** What was sent and not answered: the answer will never come. */
  giveUpSent(): void {
    const error = new HomeportError('expired', 'nobody can tell any more whether this write was committed');
    const { pushes, commits } = this.pending.expire(error);
    if (pushes === 0) return;
    this.#expired += pushes;
    this.#rebase();
    this.#reportUnawaited(commits, error);
    this.#port.answered();
  }

  abandon(error: HomeportError): void {
    const commits = this.pending.abandon(error);
    this.#rebase();
    this.#reportUnawaited(commits, error);
  }

  // ── what the owner says ──────────────────────────────────────────────────────────────────────────────────────────

  /** Whether what was shown or acknowledged here is not in the document that was opened. */
  isLost({ position, session }: OpenedHead): boolean {
    if (this.#shown === undefined) return false;
    if (position.timeline !== this.#shown.timeline) return true;
    if (position.seq < Math.max(this.#shown.seq, this.pending.ackedSeq)) return true;
    return this.pending.judge(session) === 'behind';
  }

  /** The server lost history: what it does not have from us is pending again. */
  reviveLost({ session, position }: OpenedHead): void {
    for (const [opNo, seq] of session.recent) this.#acknowledge(opNo, { timeline: position.timeline, seq });
    this.pending.requeue(session.accepted, position.seq);
    // What is shown stays as it is until the snapshot comes: the confirmed state below still holds what was lost. On
    // the new timeline nothing is shown yet.
    this.#shown = { timeline: position.timeline, seq: 0 as Seq };
  }

  /** Settles what the owner has from us. False: it does not know this session, or somebody else under its name. */
  recall({ position, session }: OpenedHead): boolean {
    for (const [opNo, seq] of session.recent) this.#acknowledge(opNo, { timeline: position.timeline, seq });
    const judged = this.pending.judge(session);
    return judged !== 'forgotten' && judged !== 'foreign';
  }

  /** Another confirmed state as of `position`, and what came after it. False: they do not fit together. */
  install(records: ReadonlyMap<string, RecordState>, position: Position, entries: readonly Entry[]): boolean {
    this.#view.reset(records);
    this.#shown = position;
    for (const entry of entries) if (!this.#applyEntry(entry, position.timeline, new Set())) return false;
    this.pending.applied(this.#shown.seq);
    this.#tell(this.#view.rebase(this.pending.ops(), 'all'), 'reset');
    return true;
  }

  /** The next entries. False: they do not fit, this copy is not what the owner has. */
  apply(entries: readonly Entry[], timeline: Timeline): boolean {
    const remote = new Set<string>();
    const own = new Set<string>();
    for (const entry of entries) {
      if (!this.#applyEntry(entry, timeline, this.#isOwn(entry) ? own : remote)) return false;
    }
    if (this.#shown !== undefined) this.pending.applied(this.#shown.seq);
    const changed = this.#view.rebase(this.pending.ops(), [...remote, ...own]);
    const byOthers = new Set<string>();
    const byRebase = new Set<string>();
    for (const key of changed) (remote.has(key) ? byOthers : byRebase).add(key);
    this.#tell(byOthers, 'remote');
    this.#tell(byRebase, 'rebase');
    return true;
  }

  #applyEntry(entry: Entry, timeline: Timeline, touched: Set<string>): boolean {
    const position = { timeline, seq: entry.seq };
    if (this.#isOwn(entry)) this.#acknowledge(entry.opNo, position);
    this.#shown = position;
    return this.#view.applyEntry(entry, touched);
  }

  #isOwn({ session, user }: Entry): boolean {
    return session === this.#port.session() && user === this.#port.user();
  }

  #acknowledge(opNo: number, position: Position): void {
    const sent = this.pending.acknowledge(opNo, position);
    if (sent === undefined) return;
    this.ackSamples.add(this.#port.clock.monotonicMs() - sent.firstSentMs);
    this.#port.answered();
  }

  #rebase(): void {
    this.#tell(this.#view.rebase(this.pending.ops(), []), 'rebase');
  }

  /** Asked a moment later: who writes and awaits does so in two steps. */
  #reportUnawaited(commits: readonly Commit[], error: HomeportError): void {
    if (commits.length === 0) return;
    this.#port.clock.after(0, () => {
      if (commits.some((commit) => !commit.awaited)) this.#port.report(error);
    });
  }

  #tell(keys: ReadonlySet<string>, origin: Origin): void {
    if (keys.size > 0) this.changes.emit({ keys, origin });
  }
}

function tooLarge(limit: string, message: string): HomeportError {
  return new HomeportError('too_large', message, { limit });
}
