/**
 * A scene that treats its elements as Excalidraw does, as far as a binding can notice: elements change in place with
 * their version, equal indices are rewritten with a version bump, and `onChange` follows every update.
 */
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types';
import type { Scene, SceneState } from '../src/board/binding.js';

type Mutable = { -readonly [Field in keyof ExcalidrawElement]: ExcalidrawElement[Field] };
export type Drawn = Record<string, unknown>;

export class FakeScene implements Scene {
  elements: ExcalidrawElement[] = [];
  state: SceneState = {
    newElement: null,
    multiElement: null,
    resizingElement: null,
    editingTextElement: null,
    viewBackgroundColor: '#ffffff',
  };
  /** How often something else than the person changed the scene. */
  updates = 0;
  #nonce = 1;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  getSceneElementsIncludingDeleted(): readonly ExcalidrawElement[] {
    return this.elements;
  }

  getAppState(): SceneState {
    return this.state;
  }

  updateScene(update: Parameters<Scene['updateScene']>[0]): void {
    this.updates++;
    if (update.elements) this.#replace([...update.elements]);
    if (update.appState) this.state = { ...this.state, ...update.appState };
    this.#onChange();
  }

  // ── what a person does ───────────────────────────────────────────────────────────────────────────────────────────

  /** A new element above all others. */
  draw(element: Drawn): ExcalidrawElement {
    const drawn = shape({ index: this.#above(), ...element, version: 1, versionNonce: this.#nonce++ });
    this.#replace([...this.elements, drawn]);
    this.#onChange();
    return drawn;
  }

  /** In place, as a drag does it. */
  change(id: string, fields: Drawn): void {
    const element = this.get(id) as Mutable;
    Object.assign(element, fields);
    element.version++;
    element.versionNonce = this.#nonce++;
    this.#onChange();
  }

  erase(id: string): void {
    this.change(id, { isDeleted: true });
  }

  /** Away without a tombstone. */
  drop(id: string): void {
    this.#replace(this.elements.filter((element) => element.id !== id));
    this.#onChange();
  }

  /** Between two others, by an index between those that this scene has for them. */
  moveBetween(id: string, below: string): void {
    const element = this.get(id);
    const others = this.elements.filter((other) => other !== element);
    others.splice(others.findIndex((other) => other.id === below) + 1, 0, element);
    Object.assign(element, { index: `${this.get(below).index}G`, version: element.version + 1 });
    this.#replace(others);
    this.#onChange();
  }

  enter(state: Partial<SceneState>): void {
    this.state = { ...this.state, ...state };
    this.#onChange();
  }

  // ── what a test asks ─────────────────────────────────────────────────────────────────────────────────────────────

  get(id: string): ExcalidrawElement {
    const element = this.elements.find((one) => one.id === id);
    if (!element) throw new Error(`${id} is not in the scene`);
    return element;
  }

  /** The ids that are shown, from the bottom to the top. */
  get shown(): string[] {
    return this.elements.filter(({ isDeleted }) => !isDeleted).map(({ id }) => id);
  }

  #above(): string {
    const last = this.elements.at(-1)?.index;
    return last ? `a${String.fromCharCode(last.charCodeAt(1) + 1)}` : 'a0';
  }

  #replace(elements: ExcalidrawElement[]): void {
    for (const [i, element] of elements.entries()) {
      const below = elements[i - 1]?.index;
      if (!below || (element.index && below < element.index)) continue;
      const mutable = element as { index: string; version: number; versionNonce: number };
      mutable.index = `${below}V`;
      mutable.version++;
      mutable.versionNonce = this.#nonce++;
    }
    this.elements = elements;
  }
}

/** A rectangle, unless told otherwise. */
export function shape(fields: Drawn): ExcalidrawElement {
  return {
    type: 'rectangle',
    x: 0,
    y: 0,
    width: 10,
    height: 10,
    angle: 0,
    index: 'a0',
    strokeColor: '#1e1e1e',
    backgroundColor: 'transparent',
    fillStyle: 'solid',
    strokeWidth: 2,
    strokeStyle: 'solid',
    roundness: null,
    roughness: 1,
    opacity: 100,
    seed: 1,
    groupIds: [],
    frameId: null,
    boundElements: null,
    link: null,
    locked: false,
    isDeleted: false,
    updated: 0,
    version: 1,
    versionNonce: 1,
    ...fields,
  } as unknown as ExcalidrawElement;
}
