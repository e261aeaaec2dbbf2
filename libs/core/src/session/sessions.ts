/**
 * The sessions of this node, each with its present channel, and what becomes of them when documents come and go.
 *
 *   slots leave by a handoff   listenAhead ──> moved: told where to go, and served here until they are there ──> parted
 *                                   └───────> stayed: the slots did not go
 *   slots are lost             moved: told where to go
 *   slots come                 cameHome: who was relayed opens again, and is served directly
 */
import type { DocumentId, UserId } from '@homeport/protocol';
import { sessionKey } from '../document/session-marks.js';
import { slotOf, type LostSlot, type Slot } from '../document/slot.js';
import { pause, type Clock } from '../runtime/clock.js';
import { Departures } from './departures.js';
import type { Session } from './session.js';

/** A session that was told to go, and is still there after so long, can not go there. */
const PARTING_MS = 1_500;
const PARTING_POLL_MS = 20;

export class Sessions {
  readonly #clock: Clock;
  readonly #departures: Departures;
  /** By session key: a session has one channel at a time. */
  readonly #all = new Map<string, Session>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#departures = new Departures(clock);
  }

  get count(): number {
    return this.#all.size;
  }

  /** An older channel of the same session is closed. */
  add(session: Session): void {
    const key = sessionKey(session.user, session.id);
    this.#all.get(key)?.end('replaced');
    this.#all.set(key, session);
  }

  remove(session: Session): void {
    const key = sessionKey(session.user, session.id);
    if (this.#all.get(key) === session) this.#all.delete(key);
  }

  /** Called several times a second. */
  tick(): void {
    for (const session of this.#all.values()) session.tick();
  }

  /** Rights of these users have changed. */
  reviewRights(users: ReadonlySet<UserId>): void {
    if (users.size === 0) return;
    for (const session of this.#all.values()) if (users.has(session.user)) session.reviewRights();
  }

  /** What is published of these slots by their next owner is heard, as far as that can be had while `isMoving`. */
  async listenAhead(isMoving: (slot: Slot) => boolean): Promise<void> {
    await Promise.all([...this.#all.values()].map((session) => session.documents.listenAhead(isMoving)));
  }

  /** Slots that were about to move did not, but for those that `isMoving`. */
  stayed(isMoving: (slot: Slot) => boolean): void {
    for (const session of this.#all.values()) session.documents.stayed(isMoving);
  }

  /** These slots are other nodes' now. */
  moved(lost: readonly LostSlot[]): void {
    const bySlot = new Map(lost.map((slot) => [slot.slot, slot]));
    for (const session of this.#all.values()) session.documents.moved(bySlot, this.#departures);
  }

  /** Resolves when every session that can go to a new owner has gone there, or at `endMs`. */
  async parted(endMs: number): Promise<void> {
    const isOver = (): boolean => {
      const nowMs = this.#clock.monotonicMs();
      return nowMs >= endMs || nowMs >= this.#departures.lastMs + PARTING_MS;
    };
    while (!isOver() && [...this.#all.values()].some(({ documents }) => documents.parted > 0))
      await pause(this.#clock, PARTING_POLL_MS);
  }

  /** These slots are ours now. */
  gained(slots: readonly Slot[]): void {
    const mine = new Set(slots);
    for (const session of this.#all.values()) session.documents.cameHome((document) => mine.has(slotOf(document)));
  }

  /** These documents, which are relayed here, live here. */
  atHome(documents: readonly DocumentId[]): void {
    const here = new Set(documents);
    for (const session of this.#all.values()) session.documents.cameHome((document) => here.has(document));
  }

  end(why: string): void {
    for (const session of this.#all.values()) session.end(why);
    this.#all.clear();
  }
}
