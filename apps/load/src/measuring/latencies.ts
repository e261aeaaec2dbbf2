/** Times in an HDR histogram: a microsecond to a minute, three digits. What took longer counts as a minute. */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

const MICROSECONDS_PER_MS = 1_000;
const HIGHEST_MS = 60_000;
/** Buckets for a plot: each a quarter wider than the one before. */
const BUCKET_GROWTH = 1.25;

export interface Percentiles {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  readonly count: number;
}

export interface Bucket {
  readonly upToMs: number;
  readonly count: number;
}

export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_MS * MICROSECONDS_PER_MS,
    numberOfSignificantValueDigits: 3,
  });

  record(ms: number): void {
    this.#histogram.recordValue(Math.max(1, Math.round(Math.min(ms, HIGHEST_MS) * MICROSECONDS_PER_MS)));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  get percentiles(): Percentiles {
    const at = (percentile: number): number => this.#histogram.getValueAtPercentile(percentile) / MICROSECONDS_PER_MS;
    return {
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: this.#histogram.maxValue / MICROSECONDS_PER_MS,
      count: this.#histogram.totalCount,
    };
  }

  /** The histogram in buckets that grow, up to the highest value. */
  get buckets(): Bucket[] {
    const buckets: { upToMs: number; count: number }[] = [];
    let upTo = 10;
    let count = 0;
    for (const { value, countAtValue } of this.#recorded()) {
      while (value > upTo) {
        if (count > 0 || buckets.length > 0) buckets.push({ upToMs: upTo / MICROSECONDS_PER_MS, count });
        count = 0;
        upTo = Math.ceil(upTo * BUCKET_GROWTH);
      }
      count += countAtValue;
    }
    if (count > 0) buckets.push({ upToMs: upTo / MICROSECONDS_PER_MS, count });
    return buckets;
  }

  /** What another process can `add`. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  add(encoded: string): void {
    this.#histogram.add(decodeFromCompressedBase64(encoded));
  }

  reset(): void {
    this.#histogram.reset();
  }

  *#recorded(): Iterable<{ readonly value: number; readonly countAtValue: number }> {
    const { recordedValuesIterator: iterator } = this.#histogram as unknown as RecordedValues;
    iterator.reset();
    while (iterator.hasNext()) {
      const { valueIteratedTo, countAddedInThisIterationStep } = iterator.next();
      yield { value: valueIteratedTo, countAtValue: countAddedInThisIterationStep };
    }
  }
}

/** Every histogram of the package has one; its common type does not say so. */
interface RecordedValues {
  readonly recordedValuesIterator: {
    reset(): void;
    hasNext(): boolean;
    next(): { readonly valueIteratedTo: number; readonly countAddedInThisIterationStep: number };
  };
}
