/**
 * What this node has seen of the others, by its renewals. Two clocks are never compared: an observer sees a counter, and
 * when it still sees the same one after a whole lease of its own time, whoever raised it can not be serving any more.
 *
 * Observations are only as good as the watching was. After a gap in this node's own renewals, or a restart of the
 * database, every counter seems to have stood still; so all of them are watched anew, for a whole lease.
 */
import type { NodeRow, Renewed } from './lease-table.js';

export interface MembershipSettings {
  readonly ttlMs: number;
  readonly marginMs: number;
  readonly renewalMs: number;
  /** A node that came less than this ago gets no slots, unless there is no other: it may go again at once. */
  readonly settleMs: number;
}

const FRESH_PERIODS = 2.5;

interface Seen {
  row: NodeRow;
  readonly firstMs: number;
  /** Since when the counter is what it is. */
  sinceMs: number;
}

export class Membership {
  readonly #me: string;
  readonly #settings: MembershipSettings;
  #seen = new Map<string, Seen>();
  #observedMs = -Infinity;
  #serverStart: string | undefined;
  #restartedMs = -Infinity;
  #changedMs = -Infinity;
  #version = 0;
  #revoked = 0;

  constructor(me: string, settings: MembershipSettings) {
    this.#me = me;
    this.#settings = settings;
  }

  /** What a renewal brought. `nowMs`: after its answer came, so that what was seen is younger than what is counted from. */
  observe(renewed: Renewed, nowMs: number): void {
    const isRestarted = this.#serverStart !== renewed.serverStart;
    if (isRestarted) this.#restartedMs = nowMs - renewed.serverAgeMs;
    const isBlind = isRestarted || nowMs - this.#observedMs > 2 * this.#settings.renewalMs;
    const seen = new Map<string, Seen>();
    for (const row of renewed.nodes) {
      const before = this.#seen.get(row.id);
      if (before?.row.state !== row.state) this.#changedMs = nowMs;
      const isStill = before !== undefined && before.row.renewals === row.renewals && !isBlind;
      seen.set(row.id, { row, firstMs: before?.firstMs ?? nowMs, sinceMs: isStill ? before.sinceMs : nowMs });
    }
    if ([...this.#seen.keys()].some((id) => !seen.has(id))) this.#changedMs = nowMs;
    this.#seen = seen;
    this.#observedMs = nowMs;
    this.#serverStart = renewed.serverStart;
    this.#version = renewed.version;
    this.#revoked = renewed.revoked;
  }

  /**
   * The lease connection broke. It may have been the database that ended, which frees every lock: nobody is judged before
   * the next renewal has said so, and then as after any gap.
   */
  lostSight(): void {
    this.#observedMs = -Infinity;
  }

  /** Of the slot map, as the last renewal saw it. */
  get version(): number {
    return this.#version;
  }

  /** The id of the youngest revocation that the last renewal saw. */
  get revoked(): number {
    return this.#revoked;
  }

  /** When a node came, went or began to drain. */
  get changedMs(): number {
    return this.#changedMs;
  }

  /** `up` and `draining`, this node among them. */
  get living(): readonly NodeRow[] {
    return [...this.#seen.values()].map(({ row }) => row);
  }

  find(id: string): NodeRow | undefined {
    return this.#seen.get(id)?.row;
  }

  /** Whether its counter was seen to rise lately: what is given to one that hangs waits for its death. */
  isFresh(id: string, nowMs: number): boolean {
    const seen = this.#seen.get(id);
    return seen !== undefined && nowMs - seen.sinceMs <= FRESH_PERIODS * this.#settings.renewalMs;
  }

  /** Whether its counter has stood still for so long, while this node was watching, that nobody is sent to it any more. */
  seemsToHang(id: string, nowMs: number): boolean {
    return !this.isFresh(id, nowMs) && !this.#isBlind(nowMs);
  }

  /** Those that placement counts on: who is up, and has been for a while, unless none of them has. Without `leaver`. */
  candidates(nowMs: number, leaver?: string): readonly NodeRow[] {
    const up = [...this.#seen.values()].filter(({ row }) => row.state === 'up' && row.id !== leaver);
    const settled = up.filter(({ firstMs }) => nowMs - firstMs >= this.#settings.settleMs);
    return (settled.length > 0 ? settled : up).map(({ row }) => row);
  }

  /** Nodes whose counter has stood still for a whole lease: they can not be serving. */
  expired(nowMs: number): readonly NodeRow[] {
    const outlivedMs = this.#settings.ttlMs * 1.005 + this.#settings.marginMs;
    return [...this.#seen.values()]
      .filter(({ row, sinceMs }) => row.id !== this.#me && nowMs - sinceMs >= outlivedMs && !this.#isBlind(nowMs))
      .map(({ row }) => row);
  }

  /** Straight after a restart of the database every lock is free: a free lock proves nothing for a whole lease. */
  mayProve(nowMs: number): boolean {
    return nowMs - this.#restartedMs >= this.#settings.ttlMs && !this.#isBlind(nowMs);
  }

  #isBlind(nowMs: number): boolean {
    return nowMs - this.#observedMs > 2 * this.#settings.renewalMs;
  }
}
