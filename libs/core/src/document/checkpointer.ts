/**
 * When documents are checkpointed, and by how many at a time: those that owe many entries, or have owed any for a while.
 *
 * A step that got no answer may still be executed, at any later time. The next checkpoint in its slot begins by raising
 * the epoch, so that it can not come through any more: between two steps of a later checkpoint it would bring back a
 * record that the first of them has deleted.
 */
import type { Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import { checkpointSteps } from './checkpoint.js';
import type { DocumentLog } from './document-log.js';
import type { Document } from './document.js';
import type { Slot, Tenure, Tenures } from './slot.js';

export interface CheckpointSettings {
  readonly checkpointsMax: number;
  /** A document is checkpointed when it owes this many entries, or has owed any for `checkpointAfterMs`. */
  readonly checkpointEntries: number;
  readonly checkpointAfterMs: number;
}

export class Checkpointer {
  readonly #owner: string;
  readonly #log: DocumentLog;
  readonly #tenures: Tenures;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #settings: CheckpointSettings;
  /** Documents that owe a checkpoint, with the time since when. */
  readonly #due = new Map<Document, number>();
  readonly #running = new Set<Document>();
  /** Slots for which a step without an answer may be on its way. */
  readonly #doubtful = new Set<Slot>();

  constructor(parts: {
    readonly owner: string;
    readonly log: DocumentLog;
    readonly tenures: Tenures;
    readonly clock: Clock;
    readonly probe: Probe;
    readonly settings: CheckpointSettings;
  }) {
    this.#owner = parts.owner;
    this.#log = parts.log;
    this.#tenures = parts.tenures;
    this.#clock = parts.clock;
    this.#probe = parts.probe;
    this.#settings = parts.settings;
  }

  /** Called now and then for each document: one that owes a checkpoint gets in line. `sinceMs`: -Infinity is at once. */
  consider(document: Document, sinceMs: number): void {
    if (document.checkpointState !== 'due' || this.#running.has(document)) return;
    this.#due.set(document, Math.min(sinceMs, this.#due.get(document) ?? Infinity));
  }

  /** Starts as many as may run. */
  start(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [document, sinceMs] of this.#due) {
      if (this.#running.size >= this.#settings.checkpointsMax) return;
      const isDue =
        document.checkpointDebt >= this.#settings.checkpointEntries ||
        nowMs - sinceMs >= this.#settings.checkpointAfterMs;
      if (isDue) void this.#run(document);
    }
  }

  forget(document: Document): void {
    this.#due.delete(document);
  }

  async #run(document: Document): Promise<void> {
    this.#due.delete(document);
    this.#running.add(document);
    const tenure = await this.#tenureOf(document.slot);
    if (tenure !== undefined && document.checkpointState === 'due') await this.#write(document, tenure);
    this.#running.delete(document);
    this.start();
  }

  async #write(document: Document, tenure: Tenure): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    const plan = document.planCheckpoint();
    let outcome: 'done' | 'fenced' | 'failed' = 'done';
    for (const step of checkpointSteps(document.id, tenure, plan)) {
      outcome = await this.#log.checkpoint(this.#owner, step);
      if (outcome !== 'done') break;
    }
    // Fenced: the epoch was raised meanwhile, by us or by another owner; the next flush finds out which.
    if (outcome === 'failed') this.#doubtful.add(document.slot);
    document.endCheckpoint(plan, outcome === 'done');
    this.#probe.checkpointed({
      records: plan.upserts.length + plan.deletes.length,
      tookMs: this.#clock.monotonicMs() - startedMs,
      done: outcome === 'done',
    });
  }

  /** The epoch to write under; undefined: not now. */
  async #tenureOf(slot: Slot): Promise<Tenure | undefined> {
    const epoch = this.#tenures.epochOf(slot);
    if (epoch === undefined) return undefined;
    if (!this.#doubtful.has(slot)) return { slot, epoch };
    try {
      const { kept } = await this.#tenures.raise([{ slot, epoch }]);
      this.#doubtful.delete(slot);
      return kept.find((tenure) => tenure.slot === slot);
    } catch (error) {
      this.#probe.tell('warn', 'a checkpoint waits for the lease table', { reason: String(error) });
      return undefined;
    }
  }
}
