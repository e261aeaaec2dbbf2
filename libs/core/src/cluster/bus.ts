/**
 * Messages between nodes. Any of them may be lost, late or out of order, a notice may be doubled, and nothing that decides
 * rests on one: a notice is a hint that makes a node look at the lease table, a question is answered by who owns the
 * document, under the same fence as everything else. A question is heard once at most: a push without a number rests on
 * that.
 */
import type { JsonObject } from '@homeport/protocol';

/** JSON. Larger ones are not sent: a question fails, a notice is dropped, an answer reaches the asker as a failure. */
export type BusMessage = JsonObject;
/** Twice what a client may send: a push, or an entry, fits whatever it holds. */
export const BUS_MESSAGE_BYTES_MAX = 512 * 1024;

export interface BusListener {
  /** A question of another node. What it resolves with travels back; a rejection reaches the asker as one. */
  readonly answer: (question: BusMessage, from: string) => Promise<BusMessage>;
  /** A notice of another node. Never throws. */
  readonly hear: (notice: BusMessage, from: string) => void;
  /** The bus was away, perhaps only for a moment, and can be used again: what was told meanwhile is lost. Never throws. */
  readonly back: () => void;
}

/** No answer: the bus is away, the message is too large, the other node failed, or said nothing in time. */
export class BusFailed extends Error {
  override readonly name = 'BusFailed';
}

export abstract class Bus {
  /**
   * Begins to receive, as `me`, and makes asking and telling possible. Resolves when what others send from then on is
   * heard, over every break of the bus. Rejects with `BusFailed` where the bus can not be reached; it may be tried again.
   */
  abstract listen(me: string, listener: BusListener): Promise<void>;

  /**
   * Asks one other node, at most once. Rejects with `BusFailed` when there is no answer within `deadlineMs`, and at once
   * where the bus is known to be away, nobody is known to listen there, or too much is unanswered. Whether the question
   * was heard, or will be, is not known then.
   */
  abstract ask(node: string, question: BusMessage, deadlineMs: number): Promise<BusMessage>;

  /** Tells one node, or all others. Fire and forget; never throws, never waits. */
  abstract tell(notice: BusMessage, node?: string): void;

  /** Whether the bus was heard of lately. */
  abstract get isUp(): boolean;
}
