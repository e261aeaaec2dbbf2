/**
 * Binds the scene of Excalidraw to the document. The document is the truth; the scene shows it, and is where the person
 * works. Only this file writes to both.
 *
 * `sync` runs once per frame when something changed on either side, in this order, in one go:
 *   collect   what the person changed in the scene is written to the document
 *   apply     what changed in the document is shown in the scene
 * Nothing else runs in between, so after `collect` the document holds all that the person did, and whatever the scene
 * shows differently after `apply` is Excalidraw's own doing, not the person's.
 *
 * `#seen` is the invariant that keeps it free of echoes: for each element, a copy of what the scene held at the end of
 * the last sync. What the scene holds now and `#seen` does not is what the person did, and only that is written, as the
 * fields that differ. So nothing is ever pushed in reaction to a remote change: not by the `onChange` that follows it,
 * and not when Excalidraw rewrites the equal indices of two elements that were inserted at the same place.
 *
 * It holds copies because Excalidraw changes elements in place during a drag. It compares by value because `version`
 * counts on one page only: the order of the document decides, never the higher version. An element is looked at when its
 * version or nonce moved; every change of Excalidraw moves both.
 *
 * - An element that the person is making or typing in is *held*: the record's changes wait until it is let go. Replacing
 *   it earlier would leave the pen with an object that is not in the scene any more, and take the text from under the
 *   caret. What is typed is sent meanwhile, and wins if it is last.
 * - A deleted element stays in the scene as Excalidraw's tombstone, for undo, and is absent in the document. When undo
 *   or redo brings it back it is put whole: a patch of an absent record changes nothing, and would show it here alone.
 * - An element that left the scene without a tombstone is deleted if the person had just been making it (a shape drawn
 *   to no size). Otherwise something reset the scene, and it is shown again.
 * - Deleted by somebody else while it is dragged here: it is gone. While it is typed in: what is typed brings it back.
 */
import type { Change as DocumentChange, Board, HomeportError } from '@homeport/client';
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types';
import { isObject, jsonBytes, type Json, type JsonObject, type Op } from '@homeport/protocol';
import { beginsWith, sameJson } from './json.js';
import { compareOrder } from './order-key.js';
import { write, type Change, type PushLimits, type WritableDocument } from './pushes.js';
import { hasNothingToSee, isColour, isShared, readElement, recordOf, type Restore } from './records.js';

const KEY = 'element:';
export const BACKGROUND_KEY = 'background';
export const DEFAULT_BACKGROUND = '#ffffff';

/** What is needed of Excalidraw's state. */
export interface SceneState {
  readonly newElement: ExcalidrawElement | null;
  readonly multiElement: ExcalidrawElement | null;
  readonly resizingElement: ExcalidrawElement | null;
  readonly editingTextElement: ExcalidrawElement | null;
  readonly viewBackgroundColor: string;
}

/** What is needed of Excalidraw's API. `NEVER`: what others do is not for this person to undo. */
export interface Scene {
  getSceneElementsIncludingDeleted(): readonly ExcalidrawElement[];
  getAppState(): SceneState;
  updateScene(update: {
    readonly elements?: readonly ExcalidrawElement[];
    readonly appState?: { readonly viewBackgroundColor: string };
    readonly captureUpdate: 'NEVER';
  }): void;
}

export type BoundDocument = WritableDocument & Pick<Board, 'get' | 'records' | 'subscribe'>;

/** What the person is told. The element is back as it was in the document. */
export type Problem =
  | { readonly is: 'too-large'; readonly kind: string; readonly bytes: number; readonly bytesMax: number }
  | { readonly is: 'not-shared'; readonly kind: string }
  | { readonly is: 'refused'; readonly error: HomeportError };

export interface BindingPort {
  readonly document: BoundDocument;
  readonly scene: Scene;
  readonly restore: Restore;
  limits(): PushLimits;
  /** Runs the task once, at the next frame. */
  nextFrame(task: () => void): void;
  nonce(): number;
  report(problem: Problem): void;
  /** How many records can not be shown. */
  skipped(count: number): void;
}

interface Seen {
  readonly version: number;
  readonly versionNonce: number;
  /** Undefined: it was not there, or was a tombstone. */
  readonly record: JsonObject | undefined;
}

export class Binding {
  readonly #port: BindingPort;
  readonly #seen = new Map<string, Seen>();
  /** Elements whose record may differ from what the scene shows. */
  readonly #dirty = new Set<string>();
  /** Elements that the person was making at the last sync. */
  #making: ReadonlySet<string> = new Set();
  readonly #skipped = new Set<string>();
  /** Elements too large to be saved, of which the person knows. */
  readonly #tooLarge = new Set<string>();
  readonly #reported = new WeakSet<object>();
  #background = DEFAULT_BACKGROUND;
  #backgroundDirty = true;
  #scheduled = false;
  #stop: (() => void) | undefined;

  constructor(port: BindingPort) {
    this.#port = port;
  }

  /** The scene must be ready: Excalidraw replaces whatever is shown before. */
  start(): void {
    for (const key of this.#port.document.records().keys()) this.#changed(key);
    this.#stop = this.#port.document.subscribe((change) => this.#documentChanged(change));
    this.#background = this.#port.scene.getAppState().viewBackgroundColor;
    this.sync();
  }

  stop(): void {
    this.sync();
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Something in Excalidraw changed: call it from `onChange`. */
  sceneChanged(): void {
    this.#syncSoon();
  }

  /** At once: when the page may not get another frame. */
  sync(): void {
    if (this.#stop === undefined) return;
    const state = this.#port.scene.getAppState();
    this.#collect(state);
    this.#apply(state);
    this.#making = idsOf(state.newElement, state.multiElement, state.resizingElement, state.editingTextElement);
  }

  #documentChanged({ keys, origin }: DocumentChange): void {
    if (origin === 'local') return;
    for (const key of keys) this.#changed(key);
    this.#syncSoon();
  }

  #changed(key: string): void {
    if (key === BACKGROUND_KEY) this.#backgroundDirty = true;
    else if (key.startsWith(KEY)) this.#dirty.add(key.slice(KEY.length));
  }

  #syncSoon(): void {
    if (this.#scheduled || this.#stop === undefined) return;
    this.#scheduled = true;
    this.#port.nextFrame(() => {
      this.#scheduled = false;
      this.sync();
    });
  }

  // ── collect ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #collect(state: SceneState): void {
    const elements = this.#port.scene.getSceneElementsIncludingDeleted();
    const held = heldIn(state);
    const changes: Change[] = [];
    let present = 0;
    for (const element of elements) {
      const seen = this.#seen.get(element.id);
      if (seen !== undefined) present++;
      if (seen?.version === element.version && seen.versionNonce === element.versionNonce) continue;
      const change = this.#changeOf(element, seen?.record, held);
      if (change !== undefined) changes.push(change);
      if (seen === undefined && this.#seen.has(element.id)) present++;
    }
    if (present < this.#seen.size) changes.push(...this.#vanished(elements));
    if (changes.some(reorders)) changes.push(...this.#indexRepairs(elements, changes));
    this.#write(changes);
    this.#collectBackground(state);
  }

  /** What the person did to one element since the last sync. */
  #changeOf(element: ExcalidrawElement, before: JsonObject | undefined, held: ReadonlySet<string>): Change | undefined {
    const { id, version, versionNonce } = element;
    const isNew = before === undefined && !element.isDeleted;
    if (isNew && hasNothingToSee(element)) return undefined;
    const now = element.isDeleted ? undefined : recordOf(element);
    this.#seen.set(id, { version, versionNonce, record: now });
    if (now === undefined && !element.isDeleted) {
      if (isNew && !isShared(element.type)) this.#port.report({ is: 'not-shared', kind: element.type });
      this.#dirty.add(id);
      return undefined;
    }
    const record = this.#record(id);
    if (now === undefined) {
      return before && record && { id, record: before, ops: [{ op: 'delete', key: KEY + id }] };
    }
    const ops = this.#ops(id, before, now, record, held.has(id));
    if (ops.length === 0 || this.#isTooLarge(element, now)) return undefined;
    return { id, record: now, ops };
  }

  #ops(
    id: string,
    before: JsonObject | undefined,
    now: JsonObject,
    record: JsonObject | undefined,
    held: boolean,
  ): Op[] {
    const key = KEY + id;
    const put: Op = { op: 'put', key, value: now };
    if (before === undefined) return [put];
    const changed = Object.keys(now).filter((field) => !sameJson(before[field], now[field]));
    const unset = Object.keys(before).filter((field) => !(field in now));
    if (changed.length + unset.length === 0) return [];
    if (record === undefined) {
      if (held) return [put];
      this.#dirty.add(id);
      return [];
    }
    const ops: Op[] = [];
    const set: Record<string, Json> = {};
    for (const field of changed) {
      const [was, is] = [record[field], now[field]!];
      if (now['type'] === 'freedraw' && Array.isArray(was) && Array.isArray(is) && beginsWith(is, was)) {
        if (is.length > was.length) ops.push({ op: 'append', key, field, values: is.slice(was.length) });
      } else if (!sameJson(was, is)) set[field] = is;
    }
    if (Object.keys(set).length + unset.length > 0) ops.push({ op: 'patch', key, set, unset });
    return ops;
  }

  #vanished(elements: readonly ExcalidrawElement[]): Change[] {
    const present = new Set(elements.map(({ id }) => id));
    const changes: Change[] = [];
    for (const [id, { record }] of this.#seen) {
      if (present.has(id)) continue;
      this.#seen.delete(id);
      if (record === undefined) continue;
      if (!this.#making.has(id)) this.#dirty.add(id);
      else if (this.#record(id)) changes.push({ id, record, ops: [{ op: 'delete', key: KEY + id }] });
    }
    return changes;
  }

  /**
   * Where Excalidraw rewrote equal indices, new ones are made between indices that only this page has. If the order
   * that the person sees would not be the order of the document, the rewritten ones go along.
   */
  #indexRepairs(elements: readonly ExcalidrawElement[], changes: readonly Change[]): Change[] {
    const changed = new Map(changes.map((change) => [change.id, change]));
    const shown = elements.flatMap((element) => {
      const record = changed.get(element.id)?.record ?? this.#record(element.id);
      const known = !element.isDeleted && record !== undefined && this.#seen.get(element.id)?.record !== undefined;
      return known ? [{ id: element.id, index: indexOf(record), here: element.index ?? '', record }] : [];
    });
    const ordered = shown.every((element, i) => i === 0 || compareOrder(shown[i - 1]!, element) < 0);
    if (ordered) return [];
    return shown
      .filter(({ index, here }) => index !== here)
      .map(({ id, here, record }) => ({
        id,
        record,
        ops: [{ op: 'patch', key: KEY + id, set: { index: here }, unset: [] }],
      }));
  }

  #collectBackground({ viewBackgroundColor }: SceneState): void {
    if (viewBackgroundColor === this.#background) return;
    this.#background = viewBackgroundColor;
    const record = { color: viewBackgroundColor };
    this.#watch(this.#port.document.put(BACKGROUND_KEY, record), () => (this.#backgroundDirty = true));
  }

  /** Told once; the element goes back to what is saved of it as soon as it is let go. */
  #isTooLarge({ id, type }: ExcalidrawElement, now: JsonObject): boolean {
    const bytesMax = this.#port.limits().recordBytes;
    const bytes = jsonBytes(now);
    if (bytes <= bytesMax) return false;
    this.#dirty.add(id);
    if (!this.#tooLarge.has(id)) this.#port.report({ is: 'too-large', kind: type, bytes, bytesMax });
    this.#tooLarge.add(id);
    return true;
  }

  #write(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    for (const { ids, written } of write(this.#port.document, changes, this.#port.limits())) {
      this.#watch(written, () => ids.forEach((id) => this.#dirty.add(id)));
    }
  }

  /** A refused write was never in the document, so nobody else says that the scene must go back. */
  #watch(written: Promise<unknown>, refused: () => void): void {
    written.catch((error: HomeportError) => {
      refused();
      this.#syncSoon();
      if (error.code === 'closed' || this.#reported.has(error)) return;
      this.#reported.add(error);
      this.#port.report({ is: 'refused', error });
    });
  }

  // ── apply ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #apply(state: SceneState): void {
    const held = heldIn(state);
    const ids = [...this.#dirty].filter((id) => !held.has(id));
    if (ids.length > 0) this.#show(ids);
    if (this.#backgroundDirty) this.#showBackground(state);
  }

  #show(ids: readonly string[]): void {
    const { scene } = this.#port;
    const elements = scene.getSceneElementsIncludingDeleted();
    const next = new Map(elements.map((element) => [element.id, element]));
    const skippedBefore = this.#skipped.size;
    const asked = new Set(ids);
    let changed = false;
    for (const id of ids) {
      this.#dirty.delete(id);
      this.#tooLarge.delete(id);
      const shown = this.#shownAs(id, next.get(id));
      if (shown === next.get(id) || shown === undefined) continue;
      next.set(id, shown);
      changed = true;
    }
    if (this.#skipped.size !== skippedBefore) this.#port.skipped(this.#skipped.size);
    if (!changed) return;
    scene.updateScene({ elements: this.#inOrder([...next.values()]), captureUpdate: 'NEVER' });
    // As Excalidraw has it now, with indices that it rewrote and all: none of it is the person's doing.
    for (const element of scene.getSceneElementsIncludingDeleted()) {
      const { id, version, versionNonce, isDeleted } = element;
      const seen = this.#seen.get(id);
      if (seen?.version === version && seen.versionNonce === versionNonce) continue;
      // What the person has begun and can not be sent yet stays unseen.
      if (seen === undefined && !asked.has(id)) continue;
      this.#seen.set(id, { version, versionNonce, record: isDeleted ? undefined : recordOf(element) });
    }
  }

  /** The element as the document has it, on the base of the one in the scene; the same object if nothing differs. */
  #shownAs(id: string, current: ExcalidrawElement | undefined): ExcalidrawElement | undefined {
    const value = this.#port.document.get(KEY + id);
    const shared = current === undefined || current.isDeleted ? undefined : recordOf(current);
    if (shared !== undefined && sameJson(shared, value)) return current;
    const reading = value === undefined ? undefined : readElement(id, value, this.#port.restore);
    if (reading?.is === 'unusable') this.#skipped.add(id);
    else this.#skipped.delete(id);
    const moved = { version: (current?.version ?? 0) + 1, versionNonce: this.#port.nonce() };
    if (reading?.is !== 'shown') {
      return current === undefined || current.isDeleted ? current : { ...current, ...moved, isDeleted: true };
    }
    const { element } = reading;
    if (current === undefined) return { ...element, ...moved, isDeleted: false };
    // What came in before differs from its record in no more than what `restoreElements` fills in.
    if (shared !== undefined && sameJson(shared, recordOf(element))) return current;
    // Fields that the record does not have any more must not stay; those that are local must.
    const base: Record<string, unknown> = { ...current };
    for (const field of Object.keys(recordOf(current) ?? {})) delete base[field];
    return { ...base, ...element, updated: current.updated, ...moved, isDeleted: false } as ExcalidrawElement;
  }

  /** By the indices of the document, also where the scene has rewritten ones. */
  #inOrder(elements: readonly ExcalidrawElement[]): ExcalidrawElement[] {
    return elements
      .map((element) => {
        const record = element.isDeleted ? undefined : this.#record(element.id);
        return { id: element.id, index: record ? indexOf(record) : (element.index ?? ''), element };
      })
      .sort(compareOrder)
      .map(({ element }) => element);
  }

  #showBackground({ viewBackgroundColor }: SceneState): void {
    this.#backgroundDirty = false;
    const value = this.#port.document.get(BACKGROUND_KEY);
    const colour = value !== undefined && isObject(value) ? value['color'] : undefined;
    this.#background = isColour(colour) ? colour : DEFAULT_BACKGROUND;
    if (this.#background === viewBackgroundColor) return;
    this.#port.scene.updateScene({ appState: { viewBackgroundColor: this.#background }, captureUpdate: 'NEVER' });
  }

  #record(id: string): JsonObject | undefined {
    const value = this.#port.document.get(KEY + id);
    return value !== undefined && isObject(value) ? value : undefined;
  }
}

function heldIn({ newElement, multiElement, editingTextElement }: SceneState): ReadonlySet<string> {
  return idsOf(newElement, multiElement, editingTextElement);
}

function idsOf(...elements: readonly (ExcalidrawElement | null)[]): ReadonlySet<string> {
  return new Set(elements.flatMap((element) => element?.id ?? []));
}

function reorders({ ops }: Change): boolean {
  return ops.some((op) => op.op === 'put' || (op.op === 'patch' && 'index' in op.set));
}

function indexOf(record: JsonObject): string {
  return typeof record['index'] === 'string' ? record['index'] : '';
}
