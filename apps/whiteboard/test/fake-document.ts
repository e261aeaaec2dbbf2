/**
 * Documents that share one order of pushes, as the SDK shows them: writes show at once and are ordered when they are
 * delivered; what others wrote shows when it is delivered. A test decides when that is.
 */
import type { Change, HomeportError, Origin } from '@homeport/client';
import { applyOp, jsonBytes, type Json, type Op } from '@homeport/protocol';
import type { BoundDocument } from '../src/board/binding.js';

type State = Map<string, Json>;

export class FakeServer {
  readonly log: { readonly from: FakeDocument; readonly ops: readonly Op[] }[] = [];
  readonly #documents: FakeDocument[] = [];

  open(): FakeDocument {
    const document = new FakeDocument();
    this.#documents.push(document);
    document.receive(this.log);
    return document;
  }

  /** Takes what `document` has written, in order. */
  take(document: FakeDocument): void {
    this.log.push(...document.take().map((ops) => ({ from: document, ops })));
  }

  /** Takes everything from everybody, and gives everything to everybody. */
  deliver(): void {
    for (const document of this.#documents) this.take(document);
    for (const document of this.#documents) document.receive(this.log);
  }
}

export class FakeDocument implements BoundDocument {
  /** Every push that was made here. Writes of one turn of the event loop are one push, as with the SDK. */
  readonly pushes: (readonly Op[])[] = [];
  /** Set to refuse all writes. */
  refusing: HomeportError | undefined;
  readonly #confirmed: State = new Map();
  #position = 0;
  #shown: State = new Map();
  #open: Op[] | undefined;
  #taken = 0;
  /** Own pushes that have come back in the order of all: they show until then. */
  #came = 0;
  readonly #listeners = new Set<(change: Change) => void>();

  get(key: string): Json | undefined {
    return this.#shown.get(key);
  }

  records(): ReadonlyMap<string, { readonly value: Json; readonly seq: number }> {
    return new Map([...this.#shown].map(([key, value]) => [key, { value, seq: 1 }]));
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  put(key: string, value: Json) {
    return this.#write([{ op: 'put', key, value }], true);
  }

  patch(key: string, set: { readonly [field: string]: Json }, options: { readonly unset?: readonly string[] } = {}) {
    return this.#write([{ op: 'patch', key, set, unset: options.unset ?? [] }], true);
  }

  append(key: string, field: string, values: readonly Json[]) {
    return this.#write([{ op: 'append', key, field, values }], true);
  }

  delete(key: string) {
    return this.#write([{ op: 'delete', key }], true);
  }

  push(compose: Parameters<BoundDocument['push']>[0]) {
    const ops: Op[] = [];
    compose({
      put: (key, value) => void ops.push({ op: 'put', key, value }),
      patch: (key, set, options) =>
        void ops.push({ op: 'patch', key, set: set as { [field: string]: Json }, unset: options?.unset ?? [] }),
      append: (key, field, values) => void ops.push({ op: 'append', key, field, values }),
      delete: (key) => void ops.push({ op: 'delete', key }),
      increment: () => {
        throw new Error('not used by the whiteboard');
      },
    });
    return this.#write(ops, false);
  }

  take(): (readonly Op[])[] {
    const taken = this.pushes.slice(this.#taken);
    this.#taken = this.pushes.length;
    this.#open = undefined;
    return taken;
  }

  receive(log: FakeServer['log']): void {
    const keys = new Set<string>();
    for (; this.#position < log.length; this.#position++) {
      const { from, ops } = log[this.#position]!;
      if (from === this && this.pushes.includes(ops)) this.#came++;
      for (const op of ops) {
        applyTo(this.#confirmed, op);
        keys.add(op.key);
      }
    }
    this.#rebase('remote', keys);
  }

  #write(ops: readonly Op[], mergeable: boolean): Promise<{ position: { timeline: string; seq: never } }> {
    if (this.refusing) return Promise.reject(this.refusing);
    // The wire carries JSON only.
    const copies = JSON.parse(JSON.stringify(ops)) as Op[];
    if (mergeable && this.#open) this.#open.push(...copies);
    else {
      this.pushes.push(copies);
      this.#open = mergeable ? copies : undefined;
      if (mergeable) queueMicrotask(() => (this.#open = undefined));
    }
    this.#rebase('local', new Set(ops.map(({ key }) => key)));
    return new Promise(() => undefined);
  }

  #rebase(origin: Origin, keys: ReadonlySet<string>): void {
    const before = this.#shown;
    const shown = new Map(this.#confirmed);
    for (const ops of this.pushes.slice(this.#came)) for (const op of ops) applyTo(shown, op);
    this.#shown = shown;
    // A confirmation is told too, as with the SDK: the version of the record is another one.
    const changed =
      keys.size > 0 && (origin !== 'local' || [...keys].some((key) => before.get(key) !== shown.get(key)));
    if (changed) for (const listener of this.#listeners) listener({ keys, origin });
  }
}

function applyTo(state: State, op: Op): void {
  const value = state.get(op.key);
  const applied = applyOp(value === undefined ? undefined : { value, bytes: jsonBytes(value) }, op);
  if (!applied.ok) throw new Error(applied.why);
  if (applied.value === undefined) state.delete(op.key);
  else state.set(op.key, applied.value);
}
