/**
 * The pushes of one session in one document that are not settled: what to send next, and with which `after`.
 *
 * A push keeps its opNo for ever. Those in flight are the head of the queue: pushes are sent in order, and after any
 * refusal nothing more is sent until everything in flight is answered; then all go again from the head, with the new
 * `after`. Otherwise every push behind a refused one would be answered `gap`, again and again.
 */
import { digest, type Op, type Seq, type SessionRecall } from '@homeport/protocol';

export interface QueuedPush {
  readonly opNo: number;
  readonly ops: readonly Op[];
  readonly digest: string;
}

interface Slot {
  readonly push: QueuedPush;
  sentMs: number | undefined;
}

export interface Sending {
  readonly push: QueuedPush;
  readonly after: number;
}

/** An attempt whose socket went away before its answer. */
export interface LostAttempt {
  readonly push: QueuedPush;
  readonly sentMs: number;
}

export class PushQueue {
  readonly #window: number;
  #slots: Slot[] = [];
  #lastOpNo = 0;
  /** The last opNo known to be accepted. */
  #accepted = 0;
  #inFlight = 0;
  #flow: 'flowing' | 'draining' = 'flowing';

  constructor(window: number) {
    this.#window = window;
  }

  get length(): number {
    return this.#slots.length;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get hasRoom(): boolean {
    return this.#slots.length < this.#window;
  }

  /** Answers the number that it gets. */
  add(ops: readonly Op[]): number {
    const push = { opNo: ++this.#lastOpNo, ops, digest: digest(JSON.stringify(ops)) };
    this.#slots.push({ push, sentMs: undefined });
    return push.opNo;
  }

  /** What may be sent now; it counts as sent. */
  take(nowMs: number): Sending[] {
    if (this.#flow === 'draining' && this.#inFlight > 0) return [];
    this.#flow = 'flowing';
    const sendings: Sending[] = [];
    let after = this.#accepted;
    for (const slot of this.#slots) {
      if (slot.sentMs === undefined) {
        if (this.#inFlight >= this.#window) break;
        slot.sentMs = nowMs;
        this.#inFlight++;
        // Behind what is accepted: it was refused, and asks only to hear so again. `after` must still be a lower number.
        sendings.push({ push: slot.push, after: Math.min(after, slot.push.opNo - 1) });
      }
      after = Math.max(after, slot.push.opNo);
    }
    return sendings;
  }

  accepted(opNo: number): void {
    this.#accepted = Math.max(this.#accepted, opNo);
    this.#settle(opNo);
  }

  /** Refused for good: it stays out, and its number is used up. */
  refused(opNo: number): void {
    this.#flow = 'draining';
    this.#settle(opNo);
  }

  /** It was not judged: it goes again. */
  postponed(opNo: number): void {
    this.#flow = 'draining';
    const slot = this.#slots.find(({ push }) => push.opNo === opNo);
    if (slot?.sentMs === undefined) return;
    slot.sentMs = undefined;
    this.#inFlight--;
  }

  /** The socket is gone: nothing is in flight any more, everything goes again. */
  lost(): LostAttempt[] {
    const lost: LostAttempt[] = [];
    for (const slot of this.#slots) {
      if (slot.sentMs === undefined) continue;
      lost.push({ push: slot.push, sentMs: slot.sentMs });
      slot.sentMs = undefined;
    }
    this.#inFlight = 0;
    this.#flow = 'flowing';
    return lost;
  }

  /** What the owner remembers: the pushes that turned out to be in the log, with their seqs. */
  recall({ accepted, recent }: SessionRecall): { push: QueuedPush; seq: Seq }[] {
    // Also downwards: an owner that forgot an accepted push is for the checker to find, not a reason to stop writing.
    this.#accepted = accepted;
    const seqs = new Map(recent);
    const found: { push: QueuedPush; seq: Seq }[] = [];
    for (const { push } of [...this.#slots]) {
      const seq = seqs.get(push.opNo);
      if (seq === undefined) continue;
      found.push({ push, seq });
      this.#settle(push.opNo);
    }
    return found;
  }

  #settle(opNo: number): void {
    const index = this.#slots.findIndex(({ push }) => push.opNo === opNo);
    if (index < 0) return;
    const [slot] = this.#slots.splice(index, 1);
    if (slot?.sentMs !== undefined) this.#inFlight--;
  }
}
