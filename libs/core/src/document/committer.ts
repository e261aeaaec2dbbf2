/**
 * The one place that writes entries, and that knows what to do when that did not fully succeed.
 *
 *   durable            the document shows and answers
 *   error reply        nothing was stored: the batch goes again, after a pause; if the data was refused, in halves,
 *                      until the one push that can not be stored stands alone and is refused for good
 *   anything else      settle: raise the epochs of the slots of this flush, so that it can not come through any more;
 *                      then read what the log holds above the committed heads, and replay. Slots that turn out to be
 *                      somebody else's are dropped, and everyone is told where they went.
 *
 * A document that turns out not to be as it must be (a failed assertion) is abandoned and loaded anew; the others go on.
 */
import type { Batch, DocumentLog } from './document-log.js';
import type { Document } from './document.js';
import type { LoggedEntry } from './entry.js';
import { entriesOf, type Storer, type Taken } from './group-commit.js';
import type { LostSlot, Tenure, Tenures } from './slot.js';
import { pause, type Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import type { Seq } from '@homeport/protocol';

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 2_000;
const READ_BYTES_MAX = 8 * 1024 * 1024;

/** Where the documents live. */
export interface Home {
  /** The slots are somebody else's. */
  drop(lost: readonly LostSlot[]): void;
  abandon(document: Document): void;
}

export class Committer implements Storer<Document> {
  readonly #owner: string;
  readonly #log: DocumentLog;
  readonly #tenures: Tenures;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #home: Home;
  #retryMs = RETRY_FIRST_MS;

  constructor(parts: {
    readonly owner: string;
    readonly log: DocumentLog;
    readonly tenures: Tenures;
    readonly clock: Clock;
    readonly probe: Probe;
    readonly home: Home;
  }) {
    this.#owner = parts.owner;
    this.#log = parts.log;
    this.#tenures = parts.tenures;
    this.#clock = parts.clock;
    this.#probe = parts.probe;
    this.#home = parts.home;
  }

  take(document: Document, entriesMax: number, bytesMax: number): Batch | undefined {
    const epoch = this.#tenures.epochOf(document.slot);
    return epoch === undefined ? undefined : document.takeBatch(epoch, entriesMax, bytesMax);
  }

  async store(taken: readonly Taken<Document>[]): Promise<'full' | 'halve'> {
    const startedMs = this.#clock.monotonicMs();
    const batches = taken.map(({ batch }) => batch);
    const outcome = await this.#log.append(this.#owner, batches);
    const entries = entriesOf(taken);
    this.#probe.flushed({
      documents: taken.length,
      entries,
      bytes: batches.reduce((sum, { bytes }) => sum + bytes, 0),
      tookMs: this.#clock.monotonicMs() - startedMs,
      outcome: outcome.kind,
    });
    switch (outcome.kind) {
      case 'answered': {
        this.#retryMs = RETRY_FIRST_MS;
        const rest = taken.filter(({ source, batch }) => {
          const verdict = outcome.verdicts.get(batch.document);
          if (verdict === 'durable') this.#asserted(source, () => source.commit());
          if (verdict === 'diverged') this.#probe.tell('alarm', 'a head in the log is not the one expected');
          return verdict !== 'durable';
        });
        if (rest.length > 0) await this.#settle(rest);
        return 'full';
      }
      case 'failed': {
        this.#probe.tell('warn', 'a flush was refused by the database', { reason: outcome.reason });
        const isAlone = entries === 1;
        for (const { source } of taken) source.takeBack(outcome.poison && isAlone);
        if (outcome.poison) return isAlone ? 'full' : 'halve';
        await this.#retryPause();
        return 'full';
      }
      case 'unknown':
        this.#probe.tell('warn', 'a flush got no answer', { reason: outcome.reason });
        await this.#settle(taken);
        return 'full';
    }
  }

  /** Returns when every document is live again, or dropped. Meanwhile its lane flushes nothing. */
  async #settle(taken: readonly Taken<Document>[]): Promise<void> {
    for (const { source } of taken) source.settle();
    let rest = taken.map(({ source }) => source);
    while (rest.length > 0) {
      try {
        const { kept, lost } = await this.#tenures.raise(this.#tenuresOf(rest));
        this.#home.drop(lost);
        const ours = new Set(kept.map(({ slot }) => slot));
        rest = rest.filter((document) => ours.has(document.slot));
        for (const document of rest) {
          const found = await this.#above(document);
          this.#asserted(document, () => document.replay(found));
        }
        return;
      } catch (error) {
        this.#probe.tell('warn', 'what became of a flush is not known yet', { reason: String(error) });
        await this.#retryPause();
      }
    }
  }

  #asserted(document: Document, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#probe.tell('alarm', 'a document is not as it must be, and is loaded anew', { reason: String(error) });
      this.#home.abandon(document);
    }
  }

  /** Slots that are not ours any more were dropped with their documents. */
  #tenuresOf(documents: readonly Document[]): Tenure[] {
    const tenures = new Map<number, Tenure>();
    for (const { slot } of documents) {
      const epoch = this.#tenures.epochOf(slot);
      if (epoch !== undefined) tenures.set(slot, { slot, epoch });
    }
    return [...tenures.values()];
  }

  async #above(document: Document): Promise<LoggedEntry[]> {
    const found: LoggedEntry[] = [];
    for (;;) {
      const from = (document.head + found.length + 1) as Seq;
      const page = await this.#log.entries(document.id, from, READ_BYTES_MAX);
      if (page === 'trimmed') throw new Error(`the log of ${document.id} was trimmed above its committed head`);
      if (page.length === 0) return found;
      found.push(...page);
    }
  }

  async #retryPause(): Promise<void> {
    await pause(this.#clock, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }
}
