/**
 * When to flush. Documents hash to a few lanes; each lane has one flush in flight. An idle lane flushes at once; while
 * it is busy, what arrives piles up and is the next flush. There is no timer: the batch grows with the latency of the
 * database, by itself. (Convex' committer and the group commit of databases work so.)
 *
 * It knows nothing of what is stored: a source gives a batch when asked, and the storer says when the lane may go on.
 */
import type { Batch } from './document-log.js';

export const FLUSH_ENTRIES_MAX = 2_000;
export const FLUSH_BYTES_MAX = 4 * 1024 * 1024;

export interface Taken<Source> {
  readonly source: Source;
  readonly batch: Batch;
}

export interface Storer<Source> {
  take(source: Source, entriesMax: number, bytesMax: number): Batch | undefined;
  /**
   * Stores them and resolves when the lane may flush again. `halve`: the next flush is to be half as large, because
   * something in this one can not be stored and it is not known what. Never rejects.
   */
  store(taken: readonly Taken<Source>[]): Promise<'full' | 'halve'>;
}

interface Lane<Source> {
  /** Sources that may have something, each once, in order of asking. */
  readonly waiting: Set<Source>;
  isFlushing: boolean;
  entriesMax: number;
}

export class GroupCommit<Source> {
  readonly #storer: Storer<Source>;
  readonly #lanes: Lane<Source>[];

  constructor(storer: Storer<Source>, laneCount: number) {
    this.#storer = storer;
    this.#lanes = Array.from({ length: laneCount }, () => ({
      waiting: new Set<Source>(),
      isFlushing: false,
      entriesMax: FLUSH_ENTRIES_MAX,
    }));
  }

  /** The source has something to store. `slot`: the same for a source for ever, so that it stays in one lane. */
  submit(source: Source, slot: number): void {
    const lane = this.#lanes[slot % this.#lanes.length]!;
    lane.waiting.add(source);
    if (!lane.isFlushing) void this.#run(lane);
  }

  async #run(lane: Lane<Source>): Promise<void> {
    lane.isFlushing = true;
    for (let taken = this.#take(lane); taken.length > 0; taken = this.#take(lane)) {
      const next = await this.#storer.store(taken);
      lane.entriesMax = next === 'full' ? FLUSH_ENTRIES_MAX : Math.max(1, Math.floor(entriesOf(taken) / 2));
      for (const { source } of taken) lane.waiting.add(source);
    }
    lane.isFlushing = false;
  }

  #take(lane: Lane<Source>): Taken<Source>[] {
    const taken: Taken<Source>[] = [];
    let entries = lane.entriesMax;
    let bytes = FLUSH_BYTES_MAX;
    for (const source of lane.waiting) {
      if (entries <= 0 || bytes <= 0) break;
      lane.waiting.delete(source);
      const batch = this.#storer.take(source, entries, bytes);
      if (batch === undefined) continue;
      taken.push({ source, batch });
      entries -= batch.entries.length;
      bytes -= batch.bytes;
    }
    return taken;
  }
}

export function entriesOf(taken: readonly Taken<unknown>[]): number {
  let entries = 0;
  for (const { batch } of taken) entries += batch.entries.length;
  return entries;
}
