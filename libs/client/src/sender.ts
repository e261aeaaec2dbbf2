/**
 * Sends the pending pushes of one board: at most 64 unanswered, in order, each at most once in a place where the document
 * was opened, unless it was answered that it has not been looked at.
 *
 *   shut      no open document to send to
 *   sending   due ones first, then unsent ones as they come: one push per frame of work
 *   draining  one was refused, so all sent after it will be refused as a gap. Nothing is sent until every one has its
 *             answer; then they go again, once, each with its new `after`: no storm of gaps
 *   pausing   the owner asked for patience
 *
 * Answers may come in any order, and late: what an answer means hangs on the sending that it belongs to.
 */
import type { Code, PushReply, PushRequest, Refusal } from '@homeport/protocol';
import { askedWaitMs } from './backoff.js';
import type { Cancel, Clock } from './clock.js';
import type { Pending } from './pending.js';
import type { PendingPush } from './pending-push.js';

export interface SenderPort {
  readonly clock: Clock;
  readonly frameMs: number;
  windowMax(): number;
  emit(push: Omit<PushRequest, 'document'>, answer: (reply: PushReply) => void): void;
  acknowledged(opNo: number, reply: Extract<PushReply, { ok: true }>): void;
  /** The push is refused for good. */
  refused(push: PendingPush, refusal: Refusal): void;
  /** The refusal is about the document, its owner or the session, not about the push: it is due again. */
  interrupted(refusal: Refusal): void;
}

type Mode =
  | { readonly at: 'shut' }
  | { readonly at: 'sending' }
  | { readonly at: 'draining'; readonly waitMs: number }
  | { readonly at: 'pausing'; readonly cancel: Cancel };

/**
 * After so many rounds without progress the document is opened anew: of gaps, because the two sides disagree; of
 * `unavailable`, because this may not be the owner any more.
 */
const VAIN_ROUNDS_MAX = 3;

export class Sender {
  readonly #pending: Pending;
  readonly #port: SenderPort;
  #mode: Mode = { at: 'shut' };
  #scheduled: Cancel | undefined;
  #soon = false;
  #sentMs = -Infinity;
  #vainRounds = 0;
  /** Set while the session ends: what was sent may be sent again, but nothing new. */
  #held = false;

  constructor(pending: Pending, port: SenderPort) {
    this.#pending = pending;
    this.#port = port;
  }

  /** The document is open: go on. */
  open(): void {
    this.shut();
    this.#vainRounds = 0;
    this.#goOn(0);
  }

  /** No sending until `open`. Answers on the same channel still count. */
  shut(): void {
    if (this.#mode.at === 'pausing') this.#mode.cancel();
    this.#mode = { at: 'shut' };
    this.#scheduled?.();
    this.#scheduled = undefined;
  }

  /** The document is opened elsewhere, or once more: what was not answered goes again after it. */
  sendAgain(): void {
    this.shut();
    for (const push of this.#pending.sent) this.#pending.sendAgain(push);
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
  }

  /** Something was written. What may be merged waits for the end of the frame, unless the last one is long ago. */
  written(urgent: boolean): void {
    if (this.#mode.at !== 'sending') return;
    const waitMs = this.#sentMs + this.#port.frameMs - this.#port.clock.monotonicMs();
    if (urgent || waitMs <= 0) this.#pumpSoon();
    else this.#scheduled ??= this.#port.clock.after(waitMs, () => this.#pump());
  }

  /** What is written in the same turn of the event loop leaves together. */
  #pumpSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    this.#port.clock.soon(() => {
      this.#soon = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#mode.at !== 'sending') return;
    this.#scheduled?.();
    this.#scheduled = undefined;
    for (const push of this.#pending.due) this.#send(push);
    while (!this.#held && this.#mode.at === 'sending') {
      const push = this.#pending.oldestUnsent;
      const windowMax = this.#port.windowMax();
      if (push === undefined || this.#pending.unanswered >= windowMax || this.#pending.spread() >= windowMax) return;
      this.#send(push);
    }
  }

  #send(push: PendingPush): void {
    this.#sentMs = this.#port.clock.monotonicMs();
    const numbering = this.#pending.send(push, this.#sentMs);
    const sending = push.stage;
    this.#port.emit({ ...numbering, ops: push.ops }, (reply) => {
      // Acknowledged by a frame meanwhile, or sent again on another channel: this answer is old.
      if (push.stage === sending) this.#answered(push, numbering.opNo, reply);
    });
  }

  #answered(push: PendingPush, opNo: number, reply: PushReply): void {
    if (reply.ok) {
      this.#vainRounds = 0;
      this.#port.acknowledged(opNo, reply);
      this.settled();
      return;
    }
    switch (reply.code) {
      case 'conflict':
      case 'invalid':
      case 'too_large':
      case 'forbidden':
        this.#vainRounds = 0;
        this.#drain(0);
        this.#port.refused(push, reply);
        break;
      case 'gap':
        this.#pending.sendAgain(push);
        this.#drain(0);
        break;
      case 'unavailable':
      case 'rate_limited':
        this.#pending.sendAgain(push);
        this.#drain(askedWaitMs(reply.retryAfterMs));
        break;
      case 'moved':
      case 'not_open':
      case 'resync':
      case 'unauthenticated':
      case 'superseded':
      case 'session_conflict':
      case 'expired':
      case 'unsupported_protocol':
        this.#pending.sendAgain(push);
        this.#port.interrupted(reply);
        return;
    }
    this.#vainRounds += this.#isEndOfVainRound(reply.code) ? 1 : 0;
    if (this.#vainRounds >= VAIN_ROUNDS_MAX) {
      this.#vainRounds = 0;
      this.#port.interrupted(reply);
      return;
    }
    this.settled();
  }

  /** A push has its answer, from wherever: perhaps there is room in the window, or the last one of a round is in. */
  settled(): void {
    if (this.#mode.at === 'draining') {
      if (this.#pending.sent.length === 0) this.#goOn(this.#mode.waitMs);
    } else if (this.#mode.at === 'sending' && this.#pending.oldestUnsent !== undefined) {
      this.written(this.#pending.oldestUnsent.kind === 'whole');
    }
  }

  #isEndOfVainRound(code: Code): boolean {
    return (code === 'gap' || code === 'unavailable') && this.#pending.sent.length === 0;
  }

  #drain(waitMs: number): void {
    if (this.#mode.at === 'sending') this.#mode = { at: 'draining', waitMs };
    else if (this.#mode.at === 'draining') this.#mode = { at: 'draining', waitMs: Math.max(waitMs, this.#mode.waitMs) };
  }

  #goOn(waitMs: number): void {
    if (this.#pending.due.length > 0 && this.#pending.sent.length > 0) {
      this.#mode = { at: 'draining', waitMs };
    } else if (waitMs > 0) {
      const cancel = this.#port.clock.after(waitMs, () => this.#goOn(0));
      this.#mode = { at: 'pausing', cancel };
    } else {
      this.#mode = { at: 'sending' };
      this.#pump();
    }
  }
}
