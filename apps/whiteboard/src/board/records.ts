/**
 * What the document keeps of an element, and what is let back in.
 *
 * A record is the element without what is local to one page: `version`, `versionNonce` and `updated` (each page counts
 * for itself), `isDeleted` (an absent record says it), `lastCommittedPoint` (the state of a pen), `id` (it is in the
 * key), and the size of a freehand stroke (it follows from its points, so that a growing stroke is one append).
 *
 * Records come from anybody who may write, so the way in is a list of fields with bounds, then Excalidraw's own
 * `restoreElements`. The bounds are about what hangs or breaks a page: a stroke of width 1e-9 hatches for ever, one
 * stroke without points empties the canvas, one bad order key stops every later change of the scene.
 */
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types';
import { isObject, type Json, type JsonObject } from '@homeport/protocol';
import { copyJson } from './json.js';
import { isOrderKey } from './order-key.js';

type Check = (value: Json) => boolean;
type Fields = { readonly [field: string]: Check };

/** A made-up scene that restores like a real one, in tests; `restoreElements` in the browser. Throws or drops what it can not take. */
export type Restore = (element: ExcalidrawElement) => readonly ExcalidrawElement[];

/**
 * - `shown`     as it is to be drawn
 * - `hidden`    nothing to see yet: a text without letters, a shape without extent
 * - `unusable`  not an element that can be drawn safely; skipped and counted
 */
export type Reading =
  | { readonly is: 'shown'; readonly element: ExcalidrawElement }
  | { readonly is: 'hidden' }
  | { readonly is: 'unusable' };

const number =
  (min: number, max: number): Check =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max;
const text =
  (charsMax: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= charsMax;
const oneOf =
  (...choices: readonly Json[]): Check =>
  (value) =>
    choices.includes(value);
const nullable =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const list =
  (check: Check, itemsMax: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= itemsMax && value.every((item: Json) => check(item));
const object =
  (fields: Fields, optional: Fields = {}): Check =>
  (value) =>
    isObject(value) &&
    Object.keys(fields).every((field) => Object.hasOwn(value, field)) &&
    Object.entries(value).every(([field, item]) => (fields[field] ?? optional[field] ?? (() => false))(item));
const pair =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length === 2 && value.every((item: Json) => check(item));

const boolean: Check = (value) => typeof value === 'boolean';
const coordinate = number(-1_000_000, 1_000_000);
const extent = number(-100_000, 100_000);
const id: Check = (value) => typeof value === 'string' && value.length > 0 && value.length <= 128;
const colour: Check = (value) => typeof value === 'string' && /^[#(),.%\w\s-]{1,64}$/.test(value);
const point = pair(extent);
const points: Check = (value) => Array.isArray(value) && value.length > 0 && list(point, 20_000)(value);
const fixedPoint = nullable(pair(number(-1_000, 1_000)));
const binding = nullable(object({ elementId: id, focus: number(-1_000, 1_000), gap: extent }, { fixedPoint }));
const arrowhead = nullable(
  oneOf(
    ...['arrow', 'bar', 'dot', 'circle', 'circle_outline', 'triangle', 'triangle_outline', 'diamond'],
    ...['diamond_outline', 'crowfoot_one', 'crowfoot_many', 'crowfoot_one_or_many'],
  ),
);

const COMMON: Fields = {
  type: text(20),
  x: coordinate,
  y: coordinate,
  angle: number(-100, 100),
  index: isOrderKey,
  strokeColor: colour,
  backgroundColor: colour,
  fillStyle: oneOf('hachure', 'cross-hatch', 'solid', 'zigzag'),
  strokeWidth: number(0.1, 100),
  strokeStyle: oneOf('solid', 'dashed', 'dotted'),
  roundness: nullable(object({ type: oneOf(1, 2, 3) }, { value: number(0, 10_000) })),
  roughness: number(0, 10),
  opacity: number(0, 100),
  seed: number(-(2 ** 53), 2 ** 53),
  groupIds: list(id, 100),
  frameId: nullable(id),
  boundElements: nullable(list(object({ id, type: oneOf('arrow', 'text') }), 1_000)),
  link: nullable(text(2_048)),
  locked: boolean,
};
const SHAPE: Fields = { ...COMMON, width: extent, height: extent };
const LINE: Fields = {
  ...SHAPE,
  points,
  startBinding: binding,
  endBinding: binding,
  startArrowhead: arrowhead,
  endArrowhead: arrowhead,
};
const ARROW: Fields = {
  ...LINE,
  elbowed: boolean,
  fixedSegments: nullable(list(object({ start: point, end: point, index: number(0, 20_000) }), 1_000)),
  startIsSpecial: nullable(boolean),
  endIsSpecial: nullable(boolean),
};
const STROKE: Fields = { ...COMMON, points, pressures: list(number(0, 1), 20_000), simulatePressure: boolean };
const TEXT: Fields = {
  ...SHAPE,
  fontSize: number(1, 2_000),
  fontFamily: oneOf(1, 2, 3, 5, 6, 7, 8, 9),
  text: text(100_000),
  originalText: text(100_000),
  textAlign: oneOf('left', 'center', 'right'),
  verticalAlign: oneOf('top', 'middle', 'bottom'),
  containerId: nullable(id),
  autoResize: boolean,
  lineHeight: number(0.5, 5),
};

/** The kinds of elements that are shared. Pictures need storage of their own; frames with foreign pages in them are not for us. */
const KINDS: { readonly [kind: string]: Fields } = {
  rectangle: SHAPE,
  diamond: SHAPE,
  ellipse: SHAPE,
  embeddable: SHAPE,
  line: LINE,
  arrow: ARROW,
  freedraw: STROKE,
  text: TEXT,
  frame: { ...SHAPE, name: nullable(text(1_000)) },
};

export function isShared(kind: string): boolean {
  return Object.hasOwn(KINDS, kind);
}

/** A copy of what is shared of an element; undefined where it can not be: of a foreign kind, or with a NaN in it. */
export function recordOf(element: ExcalidrawElement): JsonObject | undefined {
  if (!isShared(element.type)) return undefined;
  const record: Record<string, Json> = {};
  for (const field of Object.keys(KINDS[element.type]!)) {
    const value: unknown = element[field as keyof ExcalidrawElement];
    if (value === undefined) continue;
    const copy = copyJson(value);
    if (copy === undefined) return undefined;
    record[field] = copy;
  }
  return record;
}

export function hasNothingToSee(element: ExcalidrawElement): boolean {
  switch (element.type) {
    case 'line':
    case 'arrow':
    case 'freedraw':
      return element.points.length < 2;
    case 'text':
      return element.text === '';
    default:
      return element.width === 0 && element.height === 0;
  }
}

export function readElement(elementId: string, value: Json, restore: Restore): Reading {
  const element = checked(elementId, value);
  if (element === undefined) return { is: 'unusable' };
  if (hasNothingToSee(element)) return { is: 'hidden' };
  try {
    const restored = restore(element)[0];
    return restored === undefined ? { is: 'unusable' } : { is: 'shown', element: restored };
  } catch {
    return { is: 'unusable' };
  }
}

export function isColour(value: unknown): value is string {
  return typeof value === 'string' && colour(value);
}

/** The known fields of a record, each within its bounds; undefined if one is not, or one that must be there is not. */
function checked(elementId: string, value: Json): ExcalidrawElement | undefined {
  if (!isObject(value) || typeof value['type'] !== 'string' || !isShared(value['type']) || !id(elementId))
    return undefined;
  const fields = KINDS[value['type']]!;
  const element: Record<string, Json> = { id: elementId, version: 1, versionNonce: 0, isDeleted: false };
  for (const [field, check] of Object.entries(fields)) {
    if (!Object.hasOwn(value, field)) continue;
    if (!check(value[field]!)) return undefined;
    element[field] = value[field]!;
  }
  const required = [
    'x',
    'y',
    'index',
    ...['points', 'text', 'fontSize', 'fontFamily'].filter((field) => field in fields),
  ];
  if (!required.every((field) => field in element)) return undefined;
  const grown = value['type'] === 'freedraw' ? { ...element, ...strokeFields(element) } : element;
  // Every field of it has been looked at.
  return grown as unknown as ExcalidrawElement;
}

/** The size of a stroke, and a pressure for every point: those of a pen come in an append of their own. */
function strokeFields(stroke: { readonly [field: string]: Json }): JsonObject {
  const path = stroke['points'] as readonly (readonly [number, number])[];
  const pressures = (stroke['pressures'] ?? []) as readonly number[];
  const [xs, ys] = [path.map(([x]) => x), path.map(([, y]) => y)];
  return {
    width: spread(xs),
    height: spread(ys),
    pressures,
    simulatePressure: stroke['simulatePressure'] === true || pressures.length < path.length,
  };
}

function spread(values: readonly number[]): number {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return max - min;
}
