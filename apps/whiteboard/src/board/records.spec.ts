import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types';
import type { Json } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { shape } from '../../test/fake-scene.js';
import { isOrderKey } from './order-key.js';
import { isColour, readElement, recordOf } from './records.js';

const LINE = {
  type: 'line',
  x: 0,
  y: 0,
  index: 'a1',
  points: [
    [0, 0],
    [9, 9],
  ],
};
const STROKE = {
  type: 'freedraw',
  x: 0,
  y: 0,
  index: 'a1',
  points: [
    [0, 0],
    [3, 4],
  ],
  pressures: [],
  simulatePressure: true,
};
const SHAPE = { type: 'rectangle', x: 0, y: 0, width: 9, height: 9, index: 'a1' };
const TEXT = { type: 'text', x: 0, y: 0, index: 'a1', text: 'a', originalText: 'a', fontSize: 20, fontFamily: 5 };

function read(value: Json) {
  return readElement('id', value, (element) => [element]);
}

describe('a record on its way in', () => {
  it.each([SHAPE, LINE, STROKE, TEXT])('a sound $type is shown', (record) => {
    expect(read(record)).toMatchObject({ is: 'shown', element: { ...record, id: 'id', isDeleted: false } });
  });

  it.each([
    ['a text', 'x'],
    ['nothing', null],
    ['a list', [SHAPE]],
    ['an unknown kind', { ...SHAPE, type: 'constructor' }],
    ['a picture', { ...SHAPE, type: 'image' }],
    ['a foreign page', { ...SHAPE, type: 'iframe' }],
    ['no place', { type: 'rectangle', index: 'a1' }],
    ['no index', { type: 'rectangle', x: 0, y: 0 }],
    ['a place out of bounds', { ...SHAPE, x: 1e7 }],
    ['an extent out of bounds', { ...SHAPE, width: 1e6 }],
    ['a width of stroke that hatches for ever', { ...SHAPE, strokeWidth: 1e-9 }],
    ['a colour that is none', { ...SHAPE, strokeColor: 'url(//example.org)"' }],
    ['a stroke without points', { type: 'freedraw', x: 0, y: 0, index: 'a1' }],
    ['no point at all', { ...STROKE, points: [] }],
    ['half a point', { ...STROKE, points: [[0], [1, 1]] }],
    [
      'a point far out',
      {
        ...LINE,
        points: [
          [0, 0],
          [1e9, 0],
        ],
      },
    ],
    ['too many points', { ...LINE, points: Array.from({ length: 20_001 }, () => [0, 1]) }],
    ['a binding to nothing', { ...LINE, startBinding: {} }],
    ['an arrowhead that is none', { ...LINE, type: 'arrow', endArrowhead: '<svg>' }],
    ['letters that are none', { ...TEXT, text: 7 }],
    ['no font', { type: 'text', x: 0, y: 0, index: 'a1', text: 'a' }],
    ['a font that is none', { ...TEXT, fontFamily: 'Comic Sans' }],
    ['members that are none', { ...SHAPE, boundElements: [{ id: 'a', type: 'arrow', more: 1 }] }],
  ] as readonly [string, Json][])('%s is unusable', (_what, record) => {
    expect(read(record)).toEqual({ is: 'unusable' });
  });

  it('what Excalidraw itself throws on, or drops, is unusable', () => {
    const broken = (): readonly ExcalidrawElement[] => {
      throw new Error('no');
    };
    expect(readElement('id', SHAPE, broken)).toEqual({ is: 'unusable' });
    expect(readElement('id', SHAPE, () => [])).toEqual({ is: 'unusable' });
    expect(readElement('', SHAPE, (element) => [element])).toEqual({ is: 'unusable' });
  });

  it.each([
    ['a text without letters', { ...TEXT, text: '' }],
    ['a shape without extent', { ...SHAPE, width: 0, height: 0 }],
    ['the first point of a line', { ...LINE, points: [[0, 0]] }],
  ] as readonly [string, Json][])('%s is hidden', (_what, record) => {
    expect(read(record)).toEqual({ is: 'hidden' });
  });

  it('fields that nobody knows stay out', () => {
    expect(read({ ...SHAPE, customData: { generationData: {} }, version: 9, isDeleted: true })).toMatchObject({
      element: { version: 1, isDeleted: false },
    });
    expect(read({ ...SHAPE, customData: {} })).not.toHaveProperty('element.customData');
  });

  it('a stroke has the size of its points, and pressures are made up where some are missing', () => {
    expect(read(STROKE)).toMatchObject({ element: { width: 3, height: 4 } });
    const pen = { ...STROKE, simulatePressure: false };
    expect(read({ ...pen, pressures: [0.5, 0.5] })).toMatchObject({ element: { simulatePressure: false } });
    expect(read({ ...pen, pressures: [0.5] })).toMatchObject({ element: { simulatePressure: true } });
  });
});

describe('an element on its way out', () => {
  it('is copied, without what is local', () => {
    const element = shape({ id: 's', groupIds: ['g'] });
    const record = recordOf(element)!;
    expect(record['groupIds']).toEqual(['g']);
    expect(record['groupIds']).not.toBe(element.groupIds);
    for (const local of ['id', 'version', 'versionNonce', 'updated', 'isDeleted'])
      expect(record).not.toHaveProperty(local);
  });

  it('does not go out with a number that is none', () => {
    expect(recordOf(shape({ x: NaN }))).toBeUndefined();
    expect(recordOf(shape({ roundness: { type: 3, value: Infinity } }))).toBeUndefined();
  });

  it('does not go out where its kind is not shared', () => {
    expect(recordOf(shape({ type: 'image' }))).toBeUndefined();
  });
});

it.each(['a0', 'a1V', 'Zz', 'b00', 'c0z8', 'zzzzzzzzzzzzzzzzzzzzzzzzzzz', 'a0G'])('%s orders', (key) => {
  expect(isOrderKey(key)).toBe(true);
});

it.each(['', 'a', '0', 'b0', 'a00', 'a1V0', '-1', 'a 1', 'zz', `A${'0'.repeat(26)}`, 7, null, `a1${'V'.repeat(600)}`])(
  '%s does not order',
  (key) => {
    expect(isOrderKey(key)).toBe(false);
  },
);

it('colours are colours', () => {
  for (const colour of ['#fff', 'transparent', 'rgb(1, 2, 3)', 'hsl(10 20% 30%)']) expect(isColour(colour)).toBe(true);
  for (const other of ['', 'url(x:y)', '";}', 7, null, 'x'.repeat(65)]) expect(isColour(other)).toBe(false);
});
