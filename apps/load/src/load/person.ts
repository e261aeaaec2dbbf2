/**
 * Somebody who has documents open: a raw client, and for each document a pen.
 *
 * A push is due at its time, whatever has become of those before it. What a session may not send yet, because so many of
 * its pushes are unanswered, waits at the pen, and its wait counts: latency is from the time at which it was due.
 */
import {
  DUTIES,
  LIMITS,
  type DocumentId,
  type Entry,
  type JsonObject,
  type Op,
  type PresenceFrame,
  type Seq,
} from '@homeport/protocol';
import { RawClient, type RawClientOptions, type RawObserver } from '../clients/raw-client.js';
import type { RawDocument } from '../clients/raw-document.js';
import { nowMs, type Operation, type PushOperation } from '../history/operation.js';
import type { LongestWaits } from './longest-waits.js';
import type { Tally } from './tally.js';

/** Far more than any outage makes; beyond it, the push is refused here. */
const WAITING_MAX = 20_000;

interface Due {
  readonly ops: readonly Op[];
  readonly dueMs: number;
  readonly kind: string;
  readonly done: (ok: boolean) => void;
}

interface Pen {
  readonly document: RawDocument;
  /** Sent, by opNo. */
  readonly sent: Map<number, Due>;
  readonly waiting: Due[];
}

export class Person implements RawObserver {
  readonly #client: RawClient;
  readonly #pens = new Map<DocumentId, Pen>();
  #droppedMs: number | undefined;
  readonly #record: (operation: Operation) => void;

  constructor(
    options: Omit<RawClientOptions, 'observer' | 'window'>,
    private readonly tally: Tally,
    private readonly waits: LongestWaits,
    /** What its opening of a document counts as. */
    private readonly opens = 'open',
  ) {
    this.#record = options.record;
    const record = (operation: Operation): void => this.#seen(operation);
    this.#client = new RawClient({ ...options, window: LIMITS.pendingPushes, observer: this, record });
  }

  get name(): string {
    return this.#client.name;
  }
  get trouble(): string | undefined {
    return this.#client.trouble;
  }
  get documents(): readonly RawDocument[] {
    return this.#client.documents;
  }
  get isOpen(): boolean {
    return this.documents.every(({ isOpen }) => isOpen);
  }
  /** Pushes that are not answered for good, and among them those that could not be sent yet. */
  get unsettled(): number {
    return this.#sum(({ document, waiting }) => document.unsettled + waiting.length);
  }
  get waiting(): number {
    return this.#sum(({ waiting }) => waiting.length);
  }

  /** Since when the oldest unanswered push is due; for ever later, if there is none. */
  get oldestDueMs(): number {
    let oldest = Infinity;
    for (const { sent, waiting } of this.#pens.values()) {
      const [first] = sent.values();
      oldest = Math.min(oldest, first?.dueMs ?? waiting[0]?.dueMs ?? Infinity);
    }
    return oldest;
  }

  open(id: DocumentId): RawDocument {
    const document = this.#client.open(id);
    this.#pens.set(id, { document, sent: new Map(), waiting: [] });
    return document;
  }

  leave(id: DocumentId): void {
    this.#client.leave(id);
    this.#pens.delete(id);
  }

  /** `done`: answered for good, accepted or refused. */
  push(id: DocumentId, ops: readonly Op[], dueMs: number, kind = 'push', done: (ok: boolean) => void = () => {}): void {
    const pen = this.#pens.get(id)!;
    const due = { ops, dueMs, kind, done };
    if (pen.waiting.length > 0 || !send(pen, due)) {
      if (pen.waiting.length < WAITING_MAX) pen.waiting.push(due);
      else this.tally.refused(kind);
    }
  }

  /** Resolves when the push was accepted; rejects when it was refused. For what must be there before the run begins. */
  write(id: DocumentId, ops: readonly Op[]): Promise<void> {
    return new Promise((done, failed) =>
      this.push(id, ops, nowMs(), 'furnish', (ok) => (ok ? done() : failed(new Error(`${id} could not be furnished`)))),
    );
  }

  /** Reads the whole document over the socket, not older than `minSeq`. `seen`: what was answered is of this seq. */
  read(id: DocumentId, dueMs: number, kind = 'read', minSeq?: Seq, seen: (seq: Seq) => void = () => {}): void {
    const isAsked = this.#pens.get(id)!.document.read((answer) => {
      if (answer === 'lost') return this.tally.unknown(kind);
      if (answer === 'refused') return this.tally.refused(kind);
      this.tally.ok(kind, nowMs() - dueMs);
      seen(answer);
    }, minSeq);
    // Due, and there was nobody to ask.
    if (!isAsked) this.tally.unknown(kind);
  }

  point(id: DocumentId, state: JsonObject): void {
    this.#pens.get(id)!.document.wire?.emit('presence', { document: id, state });
  }

  /** All its sockets break. */
  drop(): void {
    this.#droppedMs = nowMs();
    this.#client.breakLinks();
  }

  /** Since when it was dropped, and is not back yet. */
  get droppedMs(): number | undefined {
    return this.#droppedMs;
  }

  close(): void {
    this.#client.close();
  }

  // ── what the client tells ────────────────────────────────────────────────────────────────────────────────────────

  opened(_document: RawDocument, startMs: number, headMs: number): void {
    const now = nowMs();
    this.tally.ok(this.opens, now - startMs);
    this.tally.ok(`${this.opens}: first page`, headMs - startMs);
    if (this.#droppedMs === undefined || !this.isOpen) return;
    this.tally.ok('back', now - this.#droppedMs);
    this.#droppedMs = undefined;
  }

  saw(_document: RawDocument, entry: Entry): void {
    const [op] = entry.ops;
    const dueMs = op?.op === 'patch' ? op.set['at'] : op?.op === 'put' ? (op.value as JsonObject)['at'] : undefined;
    if (typeof dueMs === 'number') this.tally.ok('deliver', nowMs() - dueMs);
  }

  presence({ full, sessions }: PresenceFrame): void {
    // A full one repeats what is old.
    if (full) return;
    for (const shown of Object.values(sessions)) {
      const dueMs = shown?.state['at'];
      if (typeof dueMs === 'number') this.tally.ok('cursor', nowMs() - dueMs);
    }
  }

  #seen(operation: Operation): void {
    this.#record(operation);
    if (operation.kind === 'push') this.#answered(operation);
  }

  #answered(operation: PushOperation): void {
    const pen = this.#pens.get(operation.document);
    const due = pen?.sent.get(operation.opNo);
    if (!pen || !due) return;
    if (operation.outcome === 'unknown') return this.tally.unknown(due.kind);
    const isOk = operation.outcome === 'ok';
    if (!isOk && DUTIES[operation.code] !== 'fix' && operation.code !== 'superseded') return;
    pen.sent.delete(operation.opNo);
    if (isOk) {
      const ms = operation.end - due.dueMs;
      this.tally.ok(due.kind, ms);
      this.waits.note(operation.document, ms);
    } else this.tally.refused(due.kind);
    due.done(isOk);
    // The client makes room for the next when this has returned.
    if (pen.waiting.length > 0) queueMicrotask(() => drain(pen));
  }

  #sum(of: (pen: Pen) => number): number {
    let sum = 0;
    for (const pen of this.#pens.values()) sum += of(pen);
    return sum;
  }
}

function drain(pen: Pen): void {
  while (pen.waiting.length > 0 && send(pen, pen.waiting[0]!)) pen.waiting.shift();
}

function send({ document, sent }: Pen, due: Due): boolean {
  const opNo = document.push(due.ops);
  if (opNo !== undefined) sent.set(opNo, due);
  return opNo !== undefined;
}
