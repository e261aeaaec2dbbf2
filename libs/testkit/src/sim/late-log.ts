import { pause, type AppendOutcome, type Batch, type CheckpointStep, type DocumentLog } from '@homeport/core';
import { MemoryDocumentLog, type Poison } from '../memory-document-log.js';
import type { MemoryLink } from '../memory-link.js';

/**
 * A log on a way where statements get stuck: the sender has long given one up when it arrives and runs after all. No
 * limit on the server ends such a statement, for it has not begun.
 */
export class LateLog extends MemoryDocumentLog {
  /** Probability that a writing statement gets stuck. */
  lateness = 0;
  /** Every checkpoint statement takes up to this much longer. */
  checkpointSlowMs = 0;
  readonly #link: MemoryLink;

  constructor(link: MemoryLink, poison: Poison) {
    super(link, poison);
    this.#link = link;
  }

  override async append(owner: string, batches: readonly Batch[]): Promise<AppendOutcome> {
    if (!this.#isStuck()) return super.append(owner, batches);
    void this.#later().then(() => super.append(owner, batches));
    await this.#soon();
    return { kind: 'unknown', reason: 'the connection was lost' };
  }

  override async checkpoint(owner: string, step: CheckpointStep): ReturnType<DocumentLog['checkpoint']> {
    const { clock, random } = this.#link.database;
    if (this.checkpointSlowMs > 0) await pause(clock, random.between(0, this.checkpointSlowMs));
    if (!this.#isStuck()) return super.checkpoint(owner, step);
    void this.#later().then(() => super.checkpoint(owner, step));
    await this.#soon();
    return 'failed';
  }

  #isStuck(): boolean {
    return this.#link.database.random.chance(this.lateness);
  }

  #later(): Promise<void> {
    const { clock, random } = this.#link.database;
    return pause(clock, random.chance(0.5) ? random.between(0, 20) : random.between(0, 4_000));
  }

  #soon(): Promise<void> {
    const { clock, random } = this.#link.database;
    return pause(clock, random.between(0, 10));
  }
}
