/**
 * Who is here and what they show of themselves: cursor, name, selection. Never stored, never ordered, droppable; the
 * latest state of a session wins, changes of one interval leave together.
 */
import type { DocumentId, PresenceFrame, PresenceState, SessionId } from '@homeport/protocol';
import type { Presented } from '../document/document-ref.js';
import type { FanOut } from '../document/fan-out.js';
import type { Cancel, Clock } from '../runtime/clock.js';

const INTERVAL_MS = 33;
const FORGET_AFTER_MS = 15_000;

interface Shown extends PresenceState {
  /** The node that relays the session; undefined: its channel is here. */
  readonly from: string | undefined;
  readonly atMs: number;
}

interface Board {
  readonly shown: Map<SessionId, Shown>;
  readonly changed: Set<SessionId>;
  interval: Cancel | undefined;
}

export class Presence {
  readonly #fanOut: FanOut;
  readonly #clock: Clock;
  readonly #isRelayed: (document: DocumentId) => boolean;
  readonly #boards = new Map<DocumentId, Board>();
  /** Documents of which relays will hear all. */
  readonly #asked = new Set<DocumentId>();

  /** `isRelayed`: whether sessions of other nodes are on the document. */
  constructor(fanOut: FanOut, clock: Clock, isRelayed: (document: DocumentId) => boolean) {
    this.#fanOut = fanOut;
    this.#clock = clock;
    this.#isRelayed = isRelayed;
  }

  show(document: DocumentId, { session, user, channel, state }: Presented, from?: string): void {
    if (state === null) return this.#clear(document, session, channel);
    const board = this.#boardOf(document);
    const before = board.shown.get(session);
    if (before !== undefined && before.channel > channel) return;
    board.shown.set(session, { user, channel, state, from, atMs: this.#clock.monotonicMs() });
    this.#changed(document, board, session);
  }

  #clear(document: DocumentId, session: SessionId, channel: number): void {
    const board = this.#boards.get(document);
    const before = board?.shown.get(session);
    if (board === undefined || before === undefined || before.channel > channel) return;
    board.shown.delete(session);
    this.#changed(document, board, session);
  }

  full(document: DocumentId): PresenceFrame {
    const sessions: Record<SessionId, PresenceState> = {};
    for (const [session, shown] of this.#boards.get(document)?.shown ?? []) sessions[session] = asState(shown);
    return { document, full: true, sessions };
  }

  /** Those who are relayed hear all of it once more. All who ask in one interval share one answer. */
  publish(document: DocumentId): void {
    if (this.#asked.has(document)) return;
    this.#asked.add(document);
    this.#clock.after(INTERVAL_MS, () => {
      this.#asked.delete(document);
      if (!this.#isRelayed(document)) return;
      this.#fanOut.publish(document, 'presence', JSON.stringify(this.full(document)));
    });
  }

  /** Called about once a second: sessions that were not heard of for 15 s are gone, and those whose node is. */
  tick(isLiving: (node: string) => boolean): void {
    const beforeMs = this.#clock.monotonicMs() - FORGET_AFTER_MS;
    for (const [document, board] of this.#boards) {
      for (const [session, { atMs, channel, from }] of board.shown)
        if (atMs < beforeMs || (from !== undefined && !isLiving(from))) this.#clear(document, session, channel);
      if (board.shown.size === 0 && board.changed.size === 0) {
        board.interval?.();
        this.#boards.delete(document);
      }
    }
  }

  #boardOf(document: DocumentId): Board {
    let board = this.#boards.get(document);
    if (board === undefined) {
      board = { shown: new Map(), changed: new Set(), interval: undefined };
      this.#boards.set(document, board);
    }
    return board;
  }

  /** The first change leaves at once; those of the interval that follows leave together. */
  #changed(document: DocumentId, board: Board, session: SessionId): void {
    board.changed.add(session);
    if (board.interval === undefined) this.#next(document, board);
  }

  #next(document: DocumentId, board: Board): void {
    board.interval = undefined;
    if (board.changed.size === 0) return;
    const sessions: Record<SessionId, PresenceState | null> = {};
    for (const session of board.changed) {
      const shown = board.shown.get(session);
      sessions[session] = shown === undefined ? null : asState(shown);
    }
    board.changed.clear();
    const frame: PresenceFrame = { document, full: false, sessions };
    const payloadText = JSON.stringify(frame);
    this.#fanOut.deliver(document, 'presence', payloadText);
    if (this.#isRelayed(document)) this.#fanOut.publish(document, 'presence', payloadText);
    board.interval = this.#clock.after(INTERVAL_MS, () => this.#next(document, board));
  }
}

function asState({ user, channel, state }: Shown): PresenceState {
  return { user, channel, state };
}
