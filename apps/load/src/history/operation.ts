/**
 * One line of a history: what one client asked for, or saw, and when.
 *
 * Times are milliseconds of this machine's monotonic clock, so lines of several processes on one machine compare. A push
 * that is sent again is another line with the same opNo: each line is one attempt and has its own outcome. `unknown`:
 * the socket went away before an answer came; the push may be in the log, or may not.
 */
import {
  digest,
  type Code,
  type DocumentId,
  type Entry,
  type Seq,
  type SessionId,
  type UserId,
} from '@homeport/protocol';

interface Observed {
  readonly start: number;
  readonly end: number;
  readonly client: string;
  readonly user: UserId;
  readonly session: SessionId;
  readonly document: DocumentId;
  /** Who answered, and the epoch that it had told: 0 before the first `open` was answered. */
  readonly node: string;
  readonly epoch: number;
}

export type PushOutcome =
  | { readonly outcome: 'ok'; readonly seq: Seq }
  | { readonly outcome: 'failed'; readonly code: Code }
  | { readonly outcome: 'unknown' };

export type PushOperation = Observed & {
  readonly kind: 'push';
  readonly opNo: number;
  /** Digest of the ops, so that the log can be asked for the content too. */
  readonly digest: string;
  /** `recall`: the answer to `open` said that the push is in the log. */
  readonly by: 'reply' | 'recall';
} & PushOutcome;

/** A request that was answered from the state at `seq`: an `open` or a `read`. `stale`: the answer itself says that it may be old. */
export type ReadOperation = Observed & {
  readonly kind: 'read';
  readonly seq: Seq;
  readonly hash?: string;
  readonly stale?: true;
};

/** The client's own copy of the document reached `seq`. `shown`: by these entries, one after the other; else by a snapshot. */
export type CopyOperation = Observed & {
  readonly kind: 'copy';
  readonly seq: Seq;
  readonly hash?: string;
  readonly shown?: { readonly from: Seq; readonly digest: string };
};

/** The client's own copy when everything had settled. */
export type FinalOperation = Observed & { readonly kind: 'final'; readonly seq: Seq; readonly hash: string };

export type Operation = PushOperation | ReadOperation | CopyOperation | FinalOperation;

type WithoutStamp<O> = O extends Operation
  ? Omit<O, 'client' | 'user' | 'session' | 'document' | 'node' | 'epoch'>
  : never;
/** An operation before it is said who saw it, where. */
export type Unstamped = WithoutStamp<Operation>;

/** Many see the same entry. */
const digests = new WeakMap<Entry, string>();

/** What an entry is to everybody: who pushed what. */
export function digestOf(entry: Entry): string {
  const known = digests.get(entry);
  if (known !== undefined) return known;
  const { seq, session, opNo, user, ops } = entry;
  const made = digest(JSON.stringify([seq, session, opNo, user, ops]));
  digests.set(entry, made);
  return made;
}

/** Of the digests of entries that follow each other. */
export function digestOfRun(digests: readonly string[]): string {
  return digest(digests.join(' '));
}

/** Milliseconds of the machine's monotonic clock, to the microsecond. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
