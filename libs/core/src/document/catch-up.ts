/**
 * How a session gets from where it is to where the document is, without touching the database: the entries since its
 * position while memory still has them, else the records as they stand. The session has joined the fan-out in the same
 * synchronous block that took the first page, so what is committed later reaches it as frames; later pages may hold
 * younger records than the first, and the frames that made them so were sent before the page was.
 */
import { LIMITS, type Entry, type Page, type Seq, type Stored } from '@homeport/protocol';
import { shown, type PlacedEntry } from './entry.js';
import type { Records } from './records.js';

const RECENT_ENTRIES_MAX = 1_000;
const RECENT_CHARS_MAX = 1024 * 1024;

/** The last committed entries, for resuming sessions and for the repair of holes. */
export class RecentEntries {
  #entries: PlacedEntry[] = [];
  #chars = 0;
  /** Those before it were let go; the array is cut now and then, not at each entry. */
  #first = 0;

  add(entry: PlacedEntry): void {
    this.#entries.push(entry);
    this.#chars += entry.opsText.length;
    while (this.#entries.length - this.#first > RECENT_ENTRIES_MAX || this.#chars > RECENT_CHARS_MAX)
      this.#chars -= this.#entries[this.#first++]!.opsText.length;
    if (this.#first > RECENT_ENTRIES_MAX) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The entries `from …`, all of them, or undefined where memory does not reach back so far. `from` ≤ head + 1. */
  from(from: Seq, head: Seq): readonly Entry[] | undefined {
    const missing = head - from + 1;
    if (missing > this.#entries.length - this.#first) return undefined;
    return this.#entries.slice(this.#entries.length - missing).map(shown);
  }
}

/** The pages of one `open`, each about 128 KB at most. */
export type Pages = Iterator<Page, undefined>;

export function* snapshotPages(records: Records): Generator<Page, undefined> {
  let page: Record<string, { value: Stored['value']; seq: Seq }> = {};
  let bytes = 0;
  let number = 0;
  for (const [key, { value, seq, bytes: size }] of records) {
    if (bytes > 0 && bytes + size > LIMITS.pageBytes) {
      yield { snapshot: { records: page }, next: ++number };
      page = {};
      bytes = 0;
    }
    page[key] = { value, seq };
    bytes += size + key.length + 32;
  }
  yield { snapshot: { records: page } };
}

export function* tailPages(entries: readonly Entry[]): Generator<Page, undefined> {
  let rest = entries;
  for (let number = 1; ; number++) {
    const tail = upTo(rest, LIMITS.pageBytes);
    rest = rest.slice(tail.length);
    if (rest.length === 0) {
      yield { tail };
      return;
    }
    yield { tail, next: number };
  }
}

/** The first entries, about `bytesMax` of them, at least one. */
export function upTo<E extends Entry>(entries: readonly E[], bytesMax: number): readonly E[] {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) {
    bytes += 128 + JSON.stringify(entries[i]!.ops).length;
    if (bytes > bytesMax && i > 0) return entries.slice(0, i);
  }
  return entries;
}
