import type { DocumentId } from '@homeport/protocol';

/** The longest that anybody waited for an acknowledgement in each document, from the time that the push was due. */
export class LongestWaits {
  readonly #longest = new Map<DocumentId, number>();

  note(document: DocumentId, ms: number): void {
    if (ms > (this.#longest.get(document) ?? 0)) this.#longest.set(document, ms);
  }

  /** Begins a new stretch. */
  take(): [DocumentId, number][] {
    const longest = [...this.#longest];
    this.#longest.clear();
    return longest;
  }
}
