/**
 * Where catching up meets what arrives live: the copy of a document, and the frames that run ahead of it, because a
 * snapshot is still on its way or a frame was lost.
 *
 * A frame that ends at or below the copy is old; one that overlaps it is applied from where the copy stands; one that
 * begins beyond the next seq waits until the hole is filled. Nothing is ever applied past a hole.
 */
import type { EntriesFrame, Entry, Seq } from '@homeport/protocol';
import { DocumentCopy } from '../history/document-copy.js';
import { digestOf, digestOfRun } from '../history/operation.js';

export class Seam {
  readonly copy = new DocumentCopy();
  #held: EntriesFrame[] = [];
  #headTold = 0;
  /** The digests of the entries that were applied since the last `takeShown`. */
  #shown: string[] = [];

  constructor(private readonly saw: (entry: Entry) => void = () => {}) {}

  /** Keeps a frame until `join`. Throws when it does not hold what it says. */
  hold(frame: EntriesFrame): void {
    if (frame.entries.length !== frame.to - frame.from + 1 || frame.entries[0]?.seq !== frame.from)
      throw new Error(`a frame says ${frame.from}..${frame.to} and holds other entries`);
    this.#held.push(frame);
  }

  /** The last seq of what is held; 0: nothing is. */
  get heldTo(): Seq {
    return this.#held.reduce((last, { to }) => Math.max(last, to), 0) as Seq;
  }

  /** The owner says that the document has come to `seq`. */
  tellHead(seq: number): void {
    this.#headTold = Math.max(this.#headTold, seq);
  }

  /** Applies the entries above the copy. Throws when one of them does not follow. */
  take(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.seq <= this.copy.seq) continue;
      this.copy.apply(entry);
      this.#shown.push(digestOf(entry));
      this.saw(entry);
    }
  }

  /** The entries that brought the copy to where it stands, since the last call; undefined if a snapshot did, or nothing. */
  takeShown(): { readonly from: Seq; readonly digest: string } | undefined {
    const shown = this.#shown;
    this.#shown = [];
    if (shown.length === 0) return undefined;
    return { from: (this.copy.seq - shown.length + 1) as Seq, digest: digestOfRun(shown) };
  }

  /** A snapshot comes, and replaces everything. */
  reset(): void {
    this.copy.reset();
    this.#shown = [];
  }

  /** Applies every held frame that joins on, and answers whether the copy is known to lack entries. */
  join(): 'current' | 'hole' {
    this.#held.sort((a, b) => a.from - b.from);
    for (let frame = this.#held[0]; frame && frame.from <= this.copy.seq + 1; frame = this.#held[0]) {
      this.#held.shift();
      this.take(frame.entries);
    }
    return this.#held.length > 0 || this.#headTold > this.copy.seq ? 'hole' : 'current';
  }

  /** The channel is gone: what it brought and was not joined is fetched again. */
  drop(): void {
    this.#held = [];
    this.#headTold = 0;
  }
}
