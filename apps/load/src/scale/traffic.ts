/** What went to one place, Redis or Postgres, counted by kind and by second of simulated time. */
import type { Clock } from '@homeport/core';

/** One message or statement may come out many times: a notice reaches every node, a renewal answers with every row. */
export interface Amount {
  /** Messages published; statements and transactions sent. */
  readonly sent: number;
  /** Messages handed to subscribers; rows answered. */
  readonly received: number;
  /** Of what is received; with a read of the slot map, of what it says that it knows, too. */
  readonly bytes: number;
}

export interface Report {
  readonly seconds: number;
  readonly total: Amount;
  readonly kinds: { readonly [kind: string]: Amount };
  /** The most of each within one second. */
  readonly busiest: Amount;
}

const NOTHING: Amount = { sent: 0, received: 0, bytes: 0 };

export class Traffic {
  readonly #clock: Clock;
  #sinceMs = 0;
  #kinds = new Map<string, Amount>();
  #seconds: Amount[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  count(kind: string, received: number, bytes: number): void {
    const one = { sent: 1, received, bytes };
    const second = Math.floor((this.#clock.monotonicMs() - this.#sinceMs) / 1_000);
    this.#kinds.set(kind, sum(this.#kinds.get(kind) ?? NOTHING, one));
    this.#seconds[second] = sum(this.#seconds[second] ?? NOTHING, one);
  }

  /** What was counted since the last call, and begins anew. */
  take(): Report {
    const nowMs = this.#clock.monotonicMs();
    const amounts = [...this.#kinds.values()];
    const report = {
      seconds: (nowMs - this.#sinceMs) / 1_000,
      total: amounts.reduce(sum, NOTHING),
      kinds: Object.fromEntries(this.#kinds),
      busiest: this.#seconds.reduce(most, NOTHING),
    };
    this.#sinceMs = nowMs;
    this.#kinds = new Map();
    this.#seconds = [];
    return report;
  }
}

function sum(one: Amount, other: Amount): Amount {
  return {
    sent: one.sent + other.sent,
    received: one.received + other.received,
    bytes: one.bytes + other.bytes,
  };
}

function most(one: Amount, other: Amount): Amount {
  return {
    sent: Math.max(one.sent, other.sent),
    received: Math.max(one.received, other.received),
    bytes: Math.max(one.bytes, other.bytes),
  };
}
