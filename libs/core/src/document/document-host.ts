/**
 * The documents that live on this node. Whoever wants one names it; nobody keeps one.
 *
 *   absent ── use() ──> loading ──> here ── idle, checkpointed ──> absent
 *                          │          └──── the slot is lost ────> absent (everyone told)
 *                          └── failed: absent, the asker is refused; a failed load never looks like an empty document
 *
 * A load carries the epoch in which it began; if that is not the present one when it ends, it is thrown away. What may
 * never be evicted: a document with sessions, with anything pending or in flight, or with a checkpoint owed or running.
 */
import { refuse, type DocumentId, type EntriesReply, type PushReply, type Refusal, type Seq } from '@homeport/protocol';
import { pause, type Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import { upTo } from './catch-up.js';
import { Checkpointer, type CheckpointSettings } from './checkpointer.js';
import { Committer, type Home } from './committer.js';
import type { DocumentLog } from './document-log.js';
import { Document, type Push } from './document.js';
import { Frames, type FanOut } from './fan-out.js';
import { Gate } from './gate.js';
import { GroupCommit } from './group-commit.js';
import { slotOf, type LostSlot, type Slot, type Tenures } from './slot.js';

export interface DocumentSettings extends CheckpointSettings {
  readonly lanes: number;
  readonly frameIntervalMs: number;
  /** A push that has waited longer is told to ask again. */
  readonly pushWaitMs: number;
  readonly loadsMax: number;
  readonly idleMs: number;
  readonly memoryBudgetBytes: number;
}

export const DEFAULT_DOCUMENT_SETTINGS: DocumentSettings = {
  lanes: 2,
  frameIntervalMs: 16,
  pushWaitMs: 8_000,
  loadsMax: 8,
  checkpointsMax: 2,
  checkpointEntries: 1_000,
  checkpointAfterMs: 10_000,
  idleMs: 60_000,
  memoryBudgetBytes: 1024 * 1024 * 1024,
};

/** Whoever relays a document asks for it once a second: after three that did not come it hears nothing any more. */
export const RELAY_INTEREST_MS = 3_500;
/** An owner does not know yet who relays: at first it publishes everything. */
const RELAY_AT_FIRST_MS = 3_000;

/** A document in memory weighs about this much beside its values. */
const DOCUMENT_OVERHEAD_BYTES = 4 * 1024;
const ENTRIES_PAGE_BYTES = 128 * 1024;

export class DocumentHost implements Home {
  readonly #log: DocumentLog;
  readonly #tenures: Tenures;
  readonly #fanOut: FanOut;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #settings: DocumentSettings;
  readonly #groupCommit: GroupCommit<Document>;
  readonly #here = new Map<DocumentId, Document>();
  readonly #loading = new Map<DocumentId, Promise<Document | Refusal>>();
  #loads = 0;
  readonly #loadQueue: (() => void)[] = [];
  readonly #checkpointer: Checkpointer;
  readonly #gate = new Gate();
  /** Until when everything of a slot is published. */
  readonly #relayedUntilMs = new Map<Slot, number>();
  /** Sessions on documents that were abandoned and are not loaded again yet. */
  readonly #orphans = new Map<DocumentId, number>();
  #timeline = '';
  #state: 'open' | 'draining' = 'open';

  constructor(parts: {
    readonly owner: string;
    readonly log: DocumentLog;
    readonly tenures: Tenures;
    readonly fanOut: FanOut;
    readonly clock: Clock;
    readonly probe: Probe;
    readonly settings: DocumentSettings;
  }) {
    this.#log = parts.log;
    this.#tenures = parts.tenures;
    this.#fanOut = parts.fanOut;
    this.#clock = parts.clock;
    this.#probe = parts.probe;
    this.#settings = parts.settings;
    const { owner, log, tenures, clock, probe } = parts;
    const committer = new Committer({ owner, log, tenures, clock, probe, home: this });
    this.#checkpointer = new Checkpointer(parts);
    this.#groupCommit = new GroupCommit(committer, parts.settings.lanes);
  }

  async start(): Promise<void> {
    this.#timeline = await this.#log.timeline();
  }

  get timeline(): string {
    return this.#timeline;
  }

  /**
   * Runs `use` on the document, in one synchronous block with the check that this node may serve it. Synchronous itself
   * where the document is in memory. Refuses where it is not ours, can not be loaded, or the lease has run out;
   * `allowStale` lets the last be. While its slot is being handed over it waits, in the order of the calls.
   */
  use<T>(id: DocumentId, use: (document: Document) => T, allowStale = false): T | Refusal | Promise<T | Refusal> {
    const slot = slotOf(id);
    if (this.#gate.isClosed(slot) && !allowStale)
      return this.#gate
        .passed(slot, this.#clock)
        .then((how) => (how === 'open' ? this.use(id, use) : refuse.unavailable('the document is moving', 100)));
    const refusal = this.#refusal(id, allowStale);
    if (refusal !== undefined) return refusal;
    const document = this.#here.get(id);
    if (document !== undefined) return use(document);
    // Meanwhile the slot may have begun to move.
    return this.#loaded(id).then((loaded) => (loaded instanceof Document ? this.use(id, use, allowStale) : loaded));
  }

  push(id: DocumentId, push: Push): Promise<PushReply> {
    const taken = this.use(id, (document) => {
      // Of what is not ours any more we say where it went, to the end.
      if (this.#state === 'draining') return refuse.unavailable('the server is stopping', 500);
      const answered = document.push(push);
      this.#groupCommit.submit(document, document.slot);
      return { answered };
    });
    return taken instanceof Promise ? taken.then(answeredOf) : answeredOf(taken);
  }

  /** Nothing new is begun for documents of these slots until `thaw`; what was taken before goes on to its commit. */
  freeze(slots: readonly Slot[]): void {
    this.#gate.close(slots);
  }

  thaw(slots: readonly Slot[]): void {
    this.#gate.open(slots);
  }

  isFrozen(slot: Slot): boolean {
    return this.#gate.isClosed(slot);
  }

  /** Whether every push of these slots that was taken is answered. */
  isQuiet(slots: ReadonlySet<Slot>): boolean {
    for (const document of this.#here.values()) if (document.waitingCount > 0 && slots.has(document.slot)) return false;
    return true;
  }

  /** These slots are ours from now on. */
  gained(slots: readonly Slot[]): void {
    const untilMs = this.#clock.monotonicMs() + RELAY_AT_FIRST_MS;
    for (const slot of slots) this.#relayedUntilMs.set(slot, untilMs);
  }

  isRelayed(id: DocumentId): boolean {
    return this.#here.get(id)?.isRelayed ?? false;
  }

  /** A document that lives elsewhere, as the database has it at a moment after this call: to read from, and nothing else. */
  async copy(id: DocumentId): Promise<Document> {
    await this.#loadTurn();
    try {
      const loaded = await this.#log.load(id);
      const frames = new Frames(id, this.#fanOut, this.#clock, this.#settings.frameIntervalMs);
      return new Document(id, loaded, this.#timeline, this.#clock, frames);
    } finally {
      this.#loads--;
      this.#loadQueue.shift()?.();
    }
  }

  leave(id: DocumentId): void {
    const document = this.#here.get(id);
    const orphans = this.#orphans.get(id) ?? 0;
    if (document !== undefined && document.readers > 0) document.readers--;
    else if (orphans > 0) this.#orphans.set(id, orphans - 1);
  }

  /** Entries from `from`, from memory or else from the log: what repairs a hole. Committed ones only. */
  async entries(id: DocumentId, from: Seq): Promise<EntriesReply> {
    const found = await this.use(id, (document) => ({ head: document.head, recent: this.#recentFrom(document, from) }));
    if ('ok' in found) return found;
    const { head, recent } = found;
    if (from > head + 1) return refuse.resync(`the document ends at ${head}`);
    try {
      const entries = recent ?? (await this.#log.entries(id, from, ENTRIES_PAGE_BYTES));
      if (entries === 'trimmed') return refuse.resync('the log does not reach back so far');
      const shown = upTo(entries, ENTRIES_PAGE_BYTES).filter(({ seq }) => seq <= head);
      const plain = shown.map(({ seq, session, opNo, user, at, ops }) => ({ seq, session, opNo, user, at, ops }));
      return { ok: true, entries: plain, to: plain.at(-1)?.seq ?? ((from - 1) as Seq) };
    } catch (error) {
      this.#probe.tell('warn', 'entries could not be read', { reason: String(error) });
      return refuse.unavailable('the log can not be read at the moment', 500);
    }
  }

  /** Slots that are somebody else's: their documents leave, and everything that waits is told where to. */
  drop(lost: readonly LostSlot[]): void {
    if (lost.length === 0) return;
    const bySlot = new Map(lost.map((slot) => [slot.slot, slot]));
    for (const document of this.#here.values()) {
      const slot = bySlot.get(document.slot);
      if (slot === undefined) continue;
      this.#forget(document);
      // What was acknowledged is shown by whoever acknowledged it, before the next owner shows more.
      document.flushFrames();
      const { owner, epoch } = slot;
      document.drop(owner ? refuse.moved(owner, epoch, 0) : refuse.unavailable('the document has no owner yet', 250));
    }
  }

  /** It is not as it should be: what waits is sent away, and the next who asks loads it anew. */
  abandon(document: Document): void {
    if (document.readers > 0) this.#orphans.set(document.id, document.readers);
    this.#forget(document);
    document.drop(refuse.unavailable('the document is loaded anew', 250));
  }

  /** The node has lost its place for ever: nothing is committed here any more, and everything that waits is answered. */
  dropAll(): void {
    for (const document of this.#here.values()) {
      this.#forget(document);
      document.drop(refuse.unavailable('this node does not serve it any more', 250));
    }
  }

  /** Called about once a second: beacons, late pushes, checkpoints, eviction. */
  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    const late = refuse.unavailable('the database does not answer; the push waits, ask again', 1_000);
    for (const document of this.#here.values()) {
      // Without a lease another node may have the slot: who waits is free to look there.
      const patienceMs = this.#tenures.mayServe(document.slot) ? this.#settings.pushWaitMs : 0;
      if (document.waitingCount > 0) document.excuse(nowMs - patienceMs, late);
      this.#checkpointer.consider(document, nowMs);
      const isActive = nowMs - document.lastUsedMs < 3_000 || document.waitingCount > 0;
      if (document.readers > 0 && isActive) this.#beacon(document);
    }
    this.#checkpointer.start();
    this.#evict(nowMs);
  }

  /** Everything that waits is answered and every checkpoint written, as far as the database lets us within `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    this.#state = 'draining';
    const endMs = this.#clock.monotonicMs() + limitMs;
    for (;;) {
      let busy = 0;
      for (const document of this.#here.values()) {
        if (document.waitingCount === 0) this.#checkpointer.consider(document, -Infinity);
        if (document.waitingCount > 0 || document.checkpointState !== 'clean') busy++;
      }
      if (busy === 0 || this.#clock.monotonicMs() >= endMs) return;
      this.#checkpointer.start();
      await pause(this.#clock, 10);
    }
  }

  stats(): { documents: number; records: number; bytes: number; pendingPushes: number; atGates: number } {
    let records = 0;
    let bytes = 0;
    let pendingPushes = 0;
    for (const document of this.#here.values()) {
      records += document.recordCount;
      bytes += document.bytes;
      pendingPushes += document.waitingCount;
    }
    return { documents: this.#here.size, records, bytes, pendingPushes, atGates: this.#gate.waiting };
  }

  #refusal(id: DocumentId, allowStale: boolean): Refusal | undefined {
    const slot = slotOf(id);
    if (this.#tenures.epochOf(slot) === undefined) return this.#tenures.elsewhere(slot);
    if (allowStale || this.#tenures.mayServe(slot)) return undefined;
    return refuse.unavailable('the database does not answer; this node may not serve at the moment', 1_000);
  }

  #recentFrom(document: Document, from: Seq) {
    return from <= document.head + 1 ? document.recentFrom(from) : undefined;
  }

  #beacon(document: Document): void {
    document.flushFrames();
    this.#fanOut.deliver(document.id, 'head', `{"document":"${document.id}","seq":${document.head}}`);
  }

  // ── loading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #loaded(id: DocumentId): Promise<Document | Refusal> {
    let loading = this.#loading.get(id);
    if (loading === undefined) {
      loading = this.#load(id).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  async #load(id: DocumentId): Promise<Document | Refusal> {
    await this.#loadTurn();
    try {
      const slot = slotOf(id);
      for (;;) {
        const epoch = this.#tenures.epochOf(slot);
        if (epoch === undefined) return this.#tenures.elsewhere(slot);
        const startedMs = this.#clock.monotonicMs();
        const loaded = await this.#log.load(id);
        // Whoever had the slot meanwhile may have written: only a load begun in the present tenure has seen it all.
        if (this.#tenures.epochOf(slot) !== epoch) continue;
        const frames = new Frames(id, this.#fanOut, this.#clock, this.#settings.frameIntervalMs);
        const document = new Document(id, loaded, this.#timeline, this.#clock, frames);
        document.relayUntil(this.#relayedUntilMs.get(slot) ?? -Infinity);
        document.readers = this.#orphans.get(id) ?? 0;
        this.#orphans.delete(id);
        this.#here.set(id, document);
        this.#probe.loaded({
          records: loaded.records.length,
          entries: loaded.tail.length,
          tookMs: this.#clock.monotonicMs() - startedMs,
        });
        return document;
      }
    } catch (error) {
      this.#probe.tell('warn', 'a document could not be loaded', { reason: String(error) });
      return refuse.unavailable('the document can not be read from the database at the moment', 1_000);
    } finally {
      this.#loads--;
      this.#loadQueue.shift()?.();
    }
  }

  async #loadTurn(): Promise<void> {
    if (this.#loads >= this.#settings.loadsMax) await new Promise<void>((turn) => this.#loadQueue.push(turn));
    this.#loads++;
  }

  // ── eviction ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Those idle for long; and beyond the memory budget, the longest idle ones. */
  #evict(nowMs: number): void {
    let { bytes } = this.stats();
    bytes += this.#here.size * DOCUMENT_OVERHEAD_BYTES;
    const leave = (document: Document) => {
      bytes -= document.bytes + DOCUMENT_OVERHEAD_BYTES;
      this.#forget(document);
    };
    const idle: Document[] = [];
    for (const document of this.#here.values()) {
      if (!document.isIdle) continue;
      if (nowMs - document.lastUsedMs < this.#settings.idleMs) idle.push(document);
      else leave(document);
    }
    if (bytes <= this.#settings.memoryBudgetBytes) return;
    idle.sort((one, other) => one.lastUsedMs - other.lastUsedMs);
    for (const document of idle) {
      if (bytes <= this.#settings.memoryBudgetBytes) return;
      leave(document);
    }
  }

  #forget(document: Document): void {
    this.#here.delete(document.id);
    this.#checkpointer.forget(document);
  }
}

function answeredOf(taken: Refusal | { readonly answered: Promise<PushReply> }): Promise<PushReply> {
  return 'answered' in taken ? taken.answered : Promise.resolve(taken);
}
