/**
 * The seam between what is fetched and what arrives live, and the only place where frames are kept.
 *
 *   away      no channel; frames of the past mean nothing
 *   opening   `open` was sent: frames that come before its reply, and while its pages come, are held
 *   settling  all pages are here, but they are not of one moment: later ones may hold younger records. What they miss
 *             is applied first, so that nothing is shown that never was
 *   live      frames are applied as they come
 *
 * `#reached` only ever moves to the next seq. A frame at or below it is dropped, one that overlaps gives what is above,
 * one that lies beyond a hole is held until a fetch has filled the hole. Where `#head` is known to be higher than what
 * came (a beacon, a dropped frame), the rest is fetched as well. Fetches wait a random 0–200 ms: the missing frame may
 * come by itself, and others miss it too.
 */
import type { EntriesFrame, EntriesReply, Entry, Page, RecordState, Seq } from '@homeport/protocol';
import { askedWaitMs } from './backoff.js';
import type { Cancel, Clock } from './clock.js';
import type { Random } from './random.js';

/** Held frames stop growing here; what is dropped is fetched again. */
export const HELD_ENTRIES_MAX = 4_096;
export const FETCH_JITTER_MS = 200;

export interface CatchUpPort {
  readonly clock: Clock;
  readonly random: Random;
  /** A snapshot as of `seq` is whole, with what came after it. */
  install(records: ReadonlyMap<string, RecordState>, seq: Seq, entries: readonly Entry[]): void;
  /** The next entries, without a hole. */
  apply(entries: readonly Entry[]): void;
  /** All that `open` brought has been applied. */
  settled(): void;
  fetch(from: Seq, answer: (reply: EntriesReply) => void): void;
  /** The fetch was refused for another reason than lack of time. */
  refused(reply: Extract<EntriesReply, { ok: false }>): void;
}

type Stage =
  | { readonly at: 'away' }
  | { readonly at: 'opening'; readonly snapshot: Map<string, RecordState> | undefined; readonly entries: Entry[] }
  | {
      readonly at: 'settling';
      readonly snapshot: Map<string, RecordState> | undefined;
      readonly entries: Entry[];
      readonly target: Seq;
    }
  | { readonly at: 'live' };

type Fetch = { readonly at: 'none' } | { readonly at: 'waiting'; readonly cancel: Cancel } | { readonly at: 'asked' };

export class CatchUp {
  readonly #port: CatchUpPort;
  #stage: Stage = { at: 'away' };
  #fetch: Fetch = { at: 'none' };
  #reached = 0 as Seq;
  #snapshotSeq = 0 as Seq;
  #head = 0 as Seq;
  #held: EntriesFrame[] = [];
  #heldEntries = 0;

  constructor(port: CatchUpPort) {
    this.#port = port;
  }

  away(): void {
    this.#stopFetch();
    this.#stage = { at: 'away' };
    this.#drop();
  }

  /** `open` is being sent. */
  begin(): void {
    this.away();
    this.#head = 0 as Seq;
    this.#stage = { at: 'opening', snapshot: undefined, entries: [] };
  }

  /** The first page came. `shown`: what is applied already, `head`: the position of the reply. */
  opened(page: Page, shown: Seq, head: Seq): void {
    if (this.#stage.at !== 'opening') return;
    this.#head = Math.max(this.#head, head) as Seq;
    this.#reached = page.snapshot === undefined ? shown : head;
    this.#snapshotSeq = head;
    this.#stage = { at: 'opening', snapshot: page.snapshot && new Map(), entries: [] };
    this.page(page);
  }

  page(page: Page): void {
    const stage = this.#stage;
    if (stage.at !== 'opening') return;
    for (const [key, record] of Object.entries(page.snapshot?.records ?? {})) stage.snapshot?.set(key, record);
    if (page.tail !== undefined) this.#take(page.tail);
    if (page.next !== undefined || this.#stage !== stage) return;
    let target = this.#head;
    for (const { seq } of stage.snapshot?.values() ?? []) target = Math.max(target, seq) as Seq;
    this.#stage = { ...stage, at: 'settling', target };
    this.#drain();
  }

  frame(frame: EntriesFrame): void {
    if (this.#stage.at === 'away') return;
    this.#head = Math.max(this.#head, frame.to) as Seq;
    if (this.#heldEntries + frame.entries.length <= HELD_ENTRIES_MAX) {
      this.#held.push(frame);
      this.#heldEntries += frame.entries.length;
    }
    this.#drain();
  }

  /** The document is known to reach to `seq`. */
  beacon(seq: Seq): void {
    if (this.#stage.at === 'away') return;
    this.#head = Math.max(this.#head, seq) as Seq;
    this.#drain();
  }

  #drain(): void {
    if (this.#stage.at === 'away' || this.#stage.at === 'opening') return;
    this.#held.sort((a, b) => a.from - b.from);
    while (this.#held.length > 0 && this.#held[0]!.from <= this.#reached + 1) {
      const frame = this.#held.shift()!;
      this.#heldEntries -= frame.entries.length;
      this.#take(frame.entries);
    }
    this.#settle();
    if (this.#head <= this.#reached) this.#stopFetch();
    else if (this.#fetch.at === 'none') this.#fetchAfter(this.#port.random.next() * FETCH_JITTER_MS);
  }

  /** Takes the entries above `#reached`. They may overlap with what is there, but leave no hole. */
  #take(entries: readonly Entry[]): void {
    const next = entries.filter(({ seq }) => seq > this.#reached);
    const last = next.at(-1);
    if (last === undefined) return;
    this.#reached = last.seq;
    if ('snapshot' in this.#stage && this.#stage.snapshot !== undefined) this.#stage.entries.push(...next);
    else this.#port.apply(next);
  }

  #settle(): void {
    const stage = this.#stage;
    if (stage.at !== 'settling' || this.#reached < stage.target) return;
    this.#stage = { at: 'live' };
    if (stage.snapshot !== undefined) this.#port.install(stage.snapshot, this.#snapshotSeq, stage.entries);
    this.#port.settled();
  }

  #fetchAfter(delayMs: number): void {
    const cancel = this.#port.clock.after(delayMs, () => this.#ask());
    this.#fetch = { at: 'waiting', cancel };
  }

  #ask(): void {
    const asked: Fetch = { at: 'asked' };
    this.#fetch = asked;
    const from = (this.#reached + 1) as Seq;
    this.#port.fetch(from, (reply) => {
      if (this.#fetch === asked) this.#fetched(reply);
    });
  }

  #fetched(reply: EntriesReply): void {
    this.#fetch = { at: 'none' };
    if (reply.ok) {
      const [stage, before] = [this.#stage, this.#reached];
      if ((reply.entries[0]?.seq ?? 0) <= before + 1) this.#take(reply.entries);
      if (this.#stage !== stage) return;
      // No progress: the owner has not got that far, so there is no hurry.
      if (this.#reached === before) this.#fetchAfter(FETCH_JITTER_MS * (1 + this.#port.random.next()));
      this.#drain();
    } else if (reply.code === 'unavailable' || reply.code === 'rate_limited') {
      this.#fetchAfter(askedWaitMs(reply.retryAfterMs) * (1 + this.#port.random.next()));
    } else {
      this.#port.refused(reply);
    }
  }

  #stopFetch(): void {
    if (this.#fetch.at === 'waiting') this.#fetch.cancel();
    this.#fetch = { at: 'none' };
  }

  #drop(): void {
    this.#held = [];
    this.#heldEntries = 0;
  }
}
