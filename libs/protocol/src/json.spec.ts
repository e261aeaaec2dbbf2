import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkJson, checkText, jsonBytes } from './json.js';
import type { Json } from './terms.js';

const json = fc.jsonValue({ stringUnit: 'binary' }) as fc.Arbitrary<Json>;

describe('jsonBytes', () => {
  it('is the length of the JSON text in UTF-8', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }) as fc.Arbitrary<Json>, (value) => {
        expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    0,
    -0,
    9,
    10,
    99,
    100,
    999,
    1_000,
    -1,
    0.1,
    1e21,
    1e-7,
    -1.5e300,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_VALUE,
  ])('measures the number %s', (value) => expect(jsonBytes(value)).toBe(JSON.stringify(value).length));

  it('measures every character that is escaped, and every width of UTF-8', () => {
    const escaped = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)).join('');
    for (const text of [escaped, '"\\/', '\u007f\u0080\u07ff\u0800\uffff', '😀', '\u2028\u2029', '']) {
      expect(jsonBytes(text)).toBe(Buffer.byteLength(JSON.stringify(text)));
    }
  });
});

describe('checkJson', () => {
  it('accepts what JSON can say, as long as its texts are sound', () => {
    fc.assert(
      fc.property(json, (value) => {
        const sound = isSound(value);
        expect(checkJson(value, 'value', 100) === undefined).toBe(sound);
      }),
      { numRuns: 2_000 },
    );
  });

  it('counts the depth: a limit of 3 takes three levels and not four', () => {
    expect(checkJson([[[1]]], 'value', 3)).toBeUndefined();
    expect(checkJson([[[[]]]], 'value', 3)).toEqual({ path: 'value[0][0][0]', why: 'is nested too deeply' });
  });

  it('shortens a long name in the path', () => {
    const flaw = checkJson({ ['x'.repeat(10_000)]: [NaN] }, 'value', 9)!;
    expect(flaw.path).toBe(`value.${'x'.repeat(64)}…[0]`);
  });

  it('names the place of the flaw', () => {
    expect(checkJson({ a: [1, { b: NaN }] }, 'value', 9)).toMatchObject({ path: 'value.a[1].b' });
    expect(checkJson({ a: { constructor: 1 } }, 'value', 9)).toMatchObject({ path: 'value.a.constructor' });
  });

  it.each([
    ['1e400', JSON.parse('1e400')],
    ['NaN', NaN],
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a bigint', 1n],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', Buffer.from('x')],
    ['an array with a hole', Array.from({ length: 2 })],
    ['U+0000', 'a\u0000b'],
    ['a lone high surrogate', '\ud800'],
    ['a lone low surrogate', 'x\udc00'],
    ['surrogates the wrong way round', '\udc00\ud800'],
    ['a field __proto__', JSON.parse('{"__proto__": 1}')],
    ['a field prototype', { prototype: 1 }],
    ['a field with U+0000', { 'a\u0000': 1 }],
  ])('refuses %s, wherever it stands', (_what, value: unknown) => {
    expect(checkJson(value, 'value', 9)).toBeDefined();
    expect(checkJson([{ deep: value }], 'value', 9)).toBeDefined();
  });

  it('does not run out of stack on what is far too deep', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(checkJson(deep, 'value', 32)).toMatchObject({ why: 'is nested too deeply' });
  });
});

/** In a regular expression with `u`, only a surrogate without its other half is a surrogate. */
function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

/** The same question, asked of the text: every name and text is well formed, without U+0000, and no name is forbidden. */
function isSound(value: Json): boolean {
  if (typeof value === 'string') return isWellFormed(value) && !value.includes('\u0000');
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSound);
  const forbidden = ['__proto__', 'constructor', 'prototype'];
  return Object.entries(value).every(([name, item]) => isSound(name) && !forbidden.includes(name) && isSound(item));
}

describe('checkText', () => {
  it('agrees with the platform on what is well formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(checkText(text) === undefined).toBe(isWellFormed(text) && !text.includes('\u0000'));
      }),
    );
  });
});
