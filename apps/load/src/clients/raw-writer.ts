/** The pushes of one session in one document on their way: sent, answered, lost with their socket, and sent again. */
import {
  DUTIES,
  type DocumentId,
  type Moved,
  type Op,
  type PushReply,
  type Refusal,
  type Seq,
  type SessionRecall,
} from '@homeport/protocol';
import { nowMs, type PushOperation, type PushOutcome, type Unstamped } from '../history/operation.js';
import { PushQueue, type QueuedPush } from './push-queue.js';
import type { Wire } from './wire.js';

export type MovedTo = Omit<Moved, 'document'>;

/** What an answer to a push can mean for the document. */
interface Host {
  record(observed: Unstamped): void;
  /** Calls `pump`, at once or in a while, if the channel is still there by then. */
  goOn(wire: Wire, afterMs: number): void;
  reopen(afterMs: number): void;
  moved(to: MovedTo): void;
  /** A push was acknowledged. */
  answered(): void;
  /** The node asked for time. Answers whether the document leaves it for that. */
  putOff(): boolean;
  stop(why: string): void;
}

export class RawWriter {
  readonly #queue: PushQueue;
  /** The seq of the last ack, or of the first open. */
  #base: Seq | undefined;
  /** Asked for the next push whenever there is room in the window. */
  source: (() => readonly Op[]) | undefined;

  constructor(
    private readonly document: DocumentId,
    window: number,
    private readonly host: Host,
  ) {
    this.#queue = new PushQueue(window);
  }

  get unsettled(): number {
    return this.#queue.length;
  }
  get inFlight(): number {
    return this.#queue.inFlight;
  }

  get acknowledged(): number {
    return this.#base ?? 0;
  }

  /** Its number, if there was room for it. */
  add(ops: readonly Op[]): number | undefined {
    return this.#queue.hasRoom ? this.#queue.add(ops) : undefined;
  }

  /** Sends what may be sent. The document is open on this channel. */
  pump(wire: Wire): void {
    while (this.source && this.#queue.hasRoom) this.#queue.add(this.source());
    for (const { push, after } of this.#queue.take(nowMs())) this.#send(wire, push, after);
  }

  /** The channel is gone. */
  lost(): void {
    for (const { push, sentMs } of this.#queue.lost()) this.#record(push, sentMs, { outcome: 'unknown' });
  }

  /** The document was opened: what the owner remembers of this session settles what it had not heard of. */
  opened(head: Seq, session: SessionRecall, startMs: number): void {
    this.#base ??= head;
    for (const { push, seq } of this.#queue.recall(session)) {
      this.#base = higher(this.#base, seq);
      this.#record(push, startMs, { outcome: 'ok', seq }, 'recall');
    }
  }

  #send(wire: Wire, push: QueuedPush, after: number): void {
    const startMs = nowMs();
    const { opNo, ops } = push;
    const base = this.#base === undefined ? {} : { base: this.#base };
    wire.emit('push', { document: this.document, opNo, after, ...base, ops }, (reply) =>
      this.#answered(wire, push, startMs, reply),
    );
  }

  #answered(wire: Wire, push: QueuedPush, startMs: number, reply: PushReply): void {
    if (reply.ok) {
      const { seq } = reply.position;
      this.#base = higher(this.#base ?? seq, seq);
      this.#record(push, startMs, { outcome: 'ok', seq });
      this.#queue.accepted(push.opNo);
      this.host.answered();
      return this.host.goOn(wire, 0);
    }
    this.#record(push, startMs, { outcome: 'failed', code: reply.code });
    // `superseded` was never judged, because a later push was accepted: this one is lost, the session is not.
    if (DUTIES[reply.code] === 'fix' || reply.code === 'superseded') {
      this.#queue.refused(push.opNo);
      return this.host.goOn(wire, 0);
    }
    if (DUTIES[reply.code] !== 'retry') return this.host.stop(`a push was refused: ${reply.code}, ${reply.message}`);
    this.#queue.postponed(push.opNo);
    if (reply.code === 'moved') return this.host.moved(reply);
    if (reply.code === 'unavailable' && this.host.putOff()) return;
    if (reply.code === 'not_open') return this.host.reopen(0);
    this.host.goOn(wire, waitMs(reply));
  }

  #record({ opNo, digest }: QueuedPush, start: number, outcome: PushOutcome, by: PushOperation['by'] = 'reply'): void {
    this.host.record({ kind: 'push', start, end: nowMs(), opNo, digest, by, ...outcome });
  }
}

/** How long the server asks to wait before the same request again. */
export function waitMs(refusal: Refusal): number {
  if ('retryAfterMs' in refusal) return refusal.retryAfterMs;
  return 'afterMs' in refusal ? refusal.afterMs : 0;
}

function higher(a: Seq, b: Seq): Seq {
  return a > b ? a : b;
}
