/**
 * Who else is here, and what one shows of oneself. Nothing of it is stored, and any message of it may be lost:
 * own state is sent again after every open and every 5 s, and others are dropped after 15 s of silence.
 */
import type { PresenceFrame, PresenceState, SessionId, UserId } from '@homeport/protocol';
import type { Cancel, Clock } from './clock.js';
import { Listeners } from './listeners.js';
import type { PresenceFields } from './record-types.js';

export const PRESENCE_EVERY_MS = 33;
export const PRESENCE_REFRESH_MS = 5_000;
export const PRESENCE_SILENCE_MS = 15_000;

export interface Other<State extends PresenceFields = PresenceFields> {
  /** The server's word. */
  readonly user: UserId;
  /** The other client's word: check it before use. */
  readonly state: State;
}

export type Others<State extends PresenceFields = PresenceFields> = ReadonlyMap<SessionId, Other<State>>;

export interface PresencePort {
  readonly clock: Clock;
  /** Own session: never among the others. */
  session(): SessionId;
  send(state: PresenceFields | null): void;
  onThrow(error: unknown): void;
}

interface Heard {
  readonly channel: number;
  readonly heardMs: number;
  readonly other: Other;
}

export class Presence<State extends PresenceFields = PresenceFields> {
  readonly #port: PresencePort;
  readonly #listeners: Listeners<Others<State>>;
  readonly #heard = new Map<SessionId, Heard>();
  #others: Others<State> = new Map();
  #own: PresenceFields | null = null;
  #live = false;
  #sentMs = -Infinity;
  #sending: Cancel | undefined;
  #expiring: Cancel | undefined;

  constructor(port: PresencePort, own?: PresenceFields) {
    this.#port = port;
    this.#own = own === undefined ? null : structuredClone(own);
    this.#listeners = new Listeners((error) => port.onThrow(error));
  }

  /** Merges `fields` into one's own state. At most about 30 states a second leave; the latest wins. */
  set(fields: Partial<State>): void {
    this.#own = { ...this.#own, ...structuredClone(fields) } as PresenceFields;
    this.#sendSoon();
  }

  /** One is not shown to the others any more, until the next `set`. */
  clear(): void {
    this.#own = null;
    this.#sendSoon();
  }

  /** Everybody else, by session. The same object until something changed. */
  get others(): Others<State> {
    return this.#others;
  }

  subscribe(listener: (others: Others<State>) => void): Cancel {
    return this.#listeners.add(listener);
  }

  /** The document is open on a new channel, which knows nothing of us yet. */
  opened(): void {
    this.#live = true;
    if (this.#own !== null) this.#send();
  }

  /** No channel. The others stay shown until their silence is too long. */
  away(): void {
    this.#live = false;
    this.#sending?.();
    this.#sending = undefined;
  }

  close(): void {
    this.away();
    this.#expiring?.();
    this.#expiring = undefined;
    this.#heard.clear();
    this.#publish();
  }

  receive(frame: PresenceFrame): void {
    const now = this.#port.clock.monotonicMs();
    // A full frame is the whole truth: a server that was started again counts channels from the beginning.
    let changed = frame.full;
    if (frame.full) this.#heard.clear();
    for (const [session, state] of Object.entries(frame.sessions)) {
      if (session !== this.#port.session()) changed = this.#hear(session, state, now) || changed;
    }
    this.#expireLater();
    if (changed) this.#publish();
  }

  #hear(session: SessionId, state: PresenceState | null, now: number): boolean {
    const known = this.#heard.get(session);
    if (state === null) return this.#heard.delete(session);
    // A word of an older channel that came late.
    if (known !== undefined && state.channel < known.channel) return false;
    const other = { user: state.user, state: state.state };
    this.#heard.set(session, { channel: state.channel, heardMs: now, other });
    return true;
  }

  #sendSoon(): void {
    if (!this.#live) return;
    const waitMs = this.#sentMs + PRESENCE_EVERY_MS - this.#port.clock.monotonicMs();
    if (waitMs <= 0) this.#send();
    else this.#sendAfter(waitMs);
  }

  #sendAfter(delayMs: number): void {
    this.#sending?.();
    this.#sending = this.#port.clock.after(delayMs, () => this.#send());
  }

  #send(): void {
    this.#sentMs = this.#port.clock.monotonicMs();
    this.#port.send(this.#own);
    if (this.#own !== null) this.#sendAfter(PRESENCE_REFRESH_MS);
    else this.#sending?.();
  }

  #expireLater(): void {
    this.#expiring?.();
    this.#expiring = undefined;
    let oldestMs = Infinity;
    for (const { heardMs } of this.#heard.values()) oldestMs = Math.min(oldestMs, heardMs);
    if (oldestMs === Infinity) return;
    const delayMs = Math.max(0, oldestMs + PRESENCE_SILENCE_MS - this.#port.clock.monotonicMs());
    this.#expiring = this.#port.clock.after(delayMs, () => this.#expire());
  }

  #expire(): void {
    const limitMs = this.#port.clock.monotonicMs() - PRESENCE_SILENCE_MS;
    let changed = false;
    for (const [session, { heardMs }] of this.#heard) {
      if (heardMs <= limitMs) changed = this.#heard.delete(session) || changed;
    }
    this.#expireLater();
    if (changed) this.#publish();
  }

  #publish(): void {
    this.#others = new Map([...this.#heard].map(([session, { other }]) => [session, other as Other<State>]));
    this.#listeners.emit(this.#others);
  }
}
