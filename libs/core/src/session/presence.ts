/**
 * Who is here and what they show of themselves: cursor, name, selection. Never stored, never ordered, droppable; the
 * latest state of a session wins, changes of one interval leave together.
 */
import type { DocumentId, JsonObject, PresenceFrame, PresenceState, SessionId, UserId } from '@homeport/protocol';
import type { FanOut } from '../document/fan-out.js';
import type { Cancel, Clock } from '../runtime/clock.js';

const INTERVAL_MS = 33;
const FORGET_AFTER_MS = 15_000;

interface Shown extends PresenceState {
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
  readonly #boards = new Map<DocumentId, Board>();

  constructor(fanOut: FanOut, clock: Clock) {
    this.#fanOut = fanOut;
    this.#clock = clock;
  }

  /** `channel` rises with every channel of a session: what an older one says is not heard any more. */
  show(document: DocumentId, session: SessionId, user: UserId, channel: number, state: JsonObject | null): void {
    if (state === null) return this.clear(document, session, channel);
    const board = this.#boardOf(document);
    const before = board.shown.get(session);
    if (before !== undefined && before.channel > channel) return;
    board.shown.set(session, { user, channel, state, atMs: this.#clock.monotonicMs() });
    this.#changed(document, board, session);
  }

  clear(document: DocumentId, session: SessionId, channel: number): void {
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

  /** Called about once a second: sessions that were not heard of for 15 s are gone. */
  tick(): void {
    const beforeMs = this.#clock.monotonicMs() - FORGET_AFTER_MS;
    for (const [document, board] of this.#boards) {
      for (const [session, { atMs, channel }] of board.shown)
        if (atMs < beforeMs) this.clear(document, session, channel);
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
    this.#fanOut.deliver(document, 'presence', JSON.stringify(frame));
    board.interval = this.#clock.after(INTERVAL_MS, () => this.#next(document, board));
  }
}

function asState({ user, channel, state }: Shown): PresenceState {
  return { user, channel, state };
}
