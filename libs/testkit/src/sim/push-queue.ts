import type { Op } from '@homeport/protocol';

interface Waiting {
  readonly opNo: number;
  readonly ops: readonly Op[];
  isSent: boolean;
}

const WINDOW = 8;

/**
 * The pushes of one session in one document that are not settled. They are sent in order, several at a time. After an
 * answer that is not an ack nothing is sent until everything that was is answered; then all go again from the head.
 */
export class PushQueue {
  #waiting: Waiting[] = [];
  #lastOpNo = 0;
  #accepted = 0;
  #flow: 'flowing' | 'stemmed' = 'flowing';

  get length(): number {
    return this.#waiting.length;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get inFlight(): number {
    return this.#waiting.reduce((count, { isSent }) => count + Number(isSent), 0);
  }

  has(opNo: number): boolean {
    return this.#waiting.some((push) => push.opNo === opNo);
  }

  add(ops: readonly Op[]): void {
    this.#waiting.push({ opNo: ++this.#lastOpNo, ops, isSent: false });
  }

  /** What is to be sent now; it counts as sent. */
  take(): { readonly opNo: number; readonly after: number; readonly ops: readonly Op[] }[] {
    let inFlight = this.inFlight;
    if (this.#flow === 'stemmed' && inFlight > 0) return [];
    this.#flow = 'flowing';
    const taken = [];
    let after = this.#accepted;
    for (const push of this.#waiting) {
      if (!push.isSent) {
        if (inFlight++ >= WINDOW) break;
        push.isSent = true;
        // Behind what is accepted it was accepted as well, and asks only for its answer: told to wait, it was overtaken.
        taken.push({ opNo: push.opNo, after: Math.min(after, push.opNo - 1), ops: push.ops });
      }
      after = Math.max(after, push.opNo);
    }
    return taken;
  }

  /** Answers whether that was news. */
  acked(opNo: number): boolean {
    this.#accepted = Math.max(this.#accepted, opNo);
    return this.#settle(opNo);
  }

  refused(opNo: number): void {
    this.#flow = 'stemmed';
    this.#settle(opNo);
  }

  /** It was not judged: it goes again. */
  postponed(opNo: number): void {
    this.#flow = 'stemmed';
    const push = this.#waiting.find((waiting) => waiting.opNo === opNo);
    if (push !== undefined) push.isSent = false;
  }

  /** The channel is gone: everything goes again on the next. */
  lost(): void {
    this.#flow = 'flowing';
    for (const push of this.#waiting) push.isSent = false;
  }

  #settle(opNo: number): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((waiting) => waiting.opNo !== opNo);
    return this.#waiting.length < before;
  }
}
