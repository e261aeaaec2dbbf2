export const put = (key: unknown, value: unknown) => ({ op: 'put', key, value });
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

/** What is refused wherever ops go in: over the socket and over HTTP. */
export const BAD_OPS: readonly [what: string, ops: unknown, code: string][] = [
  ['no ops', [], 'invalid'],
  ['ops that are no array', { op: 'put' }, 'invalid'],
  ['an op that is no object', ['put'], 'invalid'],
  ['an unknown op', [{ op: 'move', key: 'a' }], 'invalid'],
  ['an empty key', [put('', 1)], 'invalid'],
  ['a key that is too long', [put('k'.repeat(257), 1)], 'invalid'],
  ['a key with a control character', [put('a\u0007', 1)], 'invalid'],
  ['the key __proto__', [put('__proto__', 1)], 'invalid'],
  ['a field __proto__', [put('a', JSON.parse('{"__proto__":{"x":1}}'))], 'invalid'],
  ['a field constructor', [put('a', { deep: { constructor: 1 } })], 'invalid'],
  ['a field prototype in a patch', [{ op: 'patch', key: 'a', set: JSON.parse('{"prototype":1}') }], 'invalid'],
  ['U+0000', [put('a', 'x\u0000y')], 'invalid'],
  ['a lone surrogate', [put('a', { text: '\ud800' })], 'invalid'],
  ['a value that is nested too deeply', [put('a', nested(33))], 'invalid'],
  ['a value that is too large', [put('a', 'x'.repeat(128 * 1024))], 'too_large'],
  ['too many ops', Array.from({ length: 501 }, () => put('a', 1)), 'too_large'],
  ['an unknown condition', [{ ...put('a', 1), if: { absent: false } }], 'invalid'],
  ['a good op before a bad one', [put('half', 1), put('a', '\u0000')], 'invalid'],
  ['a good op before one whose condition fails', [put('half', 1), { ...put('a', 1), if: { seq: 999 } }], 'conflict'],
  ['an increment of a text', [put('text', 'x'), { op: 'increment', key: 'text', field: 'n', by: 1 }], 'conflict'],
];
