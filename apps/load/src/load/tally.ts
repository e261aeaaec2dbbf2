/** What a generator has seen of each kind of thing since it was last asked. */
import { Latencies } from '../measuring/latencies.js';

/** How things of one kind went in a stretch of time; `latencies` as `Latencies.add` takes them. */
export interface KindCounts {
  readonly kind: string;
  readonly ok: number;
  readonly refused: number;
  readonly unknown: number;
  readonly latencies: string;
}

class Counter {
  ok = 0;
  refused = 0;
  unknown = 0;
  readonly latencies = new Latencies();
}

export class Tally {
  readonly #counters = new Map<string, Counter>();

  ok(kind: string, ms: number): void {
    const counter = this.#of(kind);
    counter.ok++;
    counter.latencies.record(ms);
  }

  refused(kind: string): void {
    this.#of(kind).refused++;
  }

  /** The answer will never come. */
  unknown(kind: string): void {
    this.#of(kind).unknown++;
  }

  /** Everything since the last call. */
  take(): KindCounts[] {
    const counts: KindCounts[] = [];
    for (const [kind, counter] of this.#counters) {
      const { ok, refused, unknown, latencies } = counter;
      if (ok + refused + unknown === 0) continue;
      counts.push({ kind, ok, refused, unknown, latencies: latencies.encode() });
      counter.ok = counter.refused = counter.unknown = 0;
      latencies.reset();
    }
    return counts;
  }

  #of(kind: string): Counter {
    let counter = this.#counters.get(kind);
    if (!counter) this.#counters.set(kind, (counter = new Counter()));
    return counter;
  }
}
