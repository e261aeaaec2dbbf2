/**
 * The run second by second, put together from what each generator says. A second is whole when every generator has told
 * it; totals hold what came after the warm-up, late answers included.
 */
import { Latencies } from '../measuring/latencies.js';
import type { Moment, OperationStats } from './run-result.js';
import type { KindCounts } from './tally.js';

class Sum {
  ok = 0;
  refused = 0;
  unknown = 0;
  readonly latencies = new Latencies();

  add({ ok, refused, unknown, latencies }: KindCounts): void {
    this.ok += ok;
    this.refused += refused;
    this.unknown += unknown;
    if (ok > 0) this.latencies.add(latencies);
  }
}

interface Second {
  readonly sums: Map<string, Sum>;
  told: number;
}

export class Timeline {
  readonly moments: Moment[] = [];
  readonly #seconds = new Map<number, Second>();
  readonly #totals = new Map<string, Sum>();

  constructor(
    private readonly generators: number,
    private readonly warmUpMs: number,
  ) {}

  /** Answers the moment, if this made it whole. */
  add(second: number, counts: readonly KindCounts[]): Moment | undefined {
    let sums = this.#seconds.get(second);
    if (!sums) this.#seconds.set(second, (sums = { sums: new Map(), told: 0 }));
    sums.told++;
    for (const count of counts) {
      sumOf(sums.sums, count.kind).add(count);
      if (second * 1_000 >= this.warmUpMs) sumOf(this.#totals, count.kind).add(count);
    }
    if (sums.told < this.generators) return undefined;
    this.#seconds.delete(second);
    const moment = { atMs: second * 1_000, kinds: [...sums.sums].map(([kind, sum]) => momentOf(kind, sum)) };
    this.moments.push(moment);
    return moment;
  }

  get operations(): OperationStats[] {
    return [...this.#totals].map(([kind, sum]) => operationStats(kind, sum)).sort((a, b) => (a.kind < b.kind ? -1 : 1));
  }
}

/** Everything of each kind in one stretch. */
export function statsOf(counts: readonly KindCounts[]): OperationStats[] {
  const sums = new Map<string, Sum>();
  for (const count of counts) sumOf(sums, count.kind).add(count);
  return [...sums].map(([kind, sum]) => operationStats(kind, sum));
}

function sumOf(sums: Map<string, Sum>, kind: string): Sum {
  let sum = sums.get(kind);
  if (!sum) sums.set(kind, (sum = new Sum()));
  return sum;
}

function momentOf(kind: string, { ok, refused, unknown, latencies }: Sum): Moment['kinds'][number] {
  const { p50Ms: p50, p99Ms: p99 } = latencies.percentiles;
  return { kind, perSecond: ok, errorsPerSecond: refused + unknown, p50, p99 };
}

function operationStats(kind: string, { ok, refused, unknown, latencies }: Sum): OperationStats {
  const { p50Ms: p50, p90Ms: p90, p99Ms: p99, p999Ms: p999, maxMs: max } = latencies.percentiles;
  return { kind, ok, refused, unknown, latency: { p50, p90, p99, p999, max, buckets: latencies.buckets } };
}
