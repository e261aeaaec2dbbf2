import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DUTIES } from './codes.js';
import { LIMITS } from './limits.js';
import {
  isDocumentId,
  isSessionId,
  keyFlaw,
  parseClose,
  parseEntries,
  parseHandshake,
  parseOpen,
  parseOps,
  parsePresence,
  parsePush,
  parseRead,
  parseToken,
  type Parsed,
} from './parse.js';

const PARSERS: readonly (readonly [name: string, parse: (input: unknown) => Parsed<unknown>])[] = [
  ['parseHandshake', parseHandshake],
  ['parseOpen', parseOpen],
  ['parsePush', parsePush],
  ['parseOps', parseOps],
  ['parseRead', parseRead],
  ['parseEntries', parseEntries],
  ['parsePresence', parsePresence],
  ['parseToken', parseToken],
  ['parseClose', parseClose],
];

describe.each(PARSERS)('%s', (_name, parse) => {
  it('L1: answers whatever comes in, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue({ stringUnit: 'binary' }), nearlyRight), (input) => {
        const parsed = parse(input);
        if (parsed.ok) return;
        expect(DUTIES[parsed.code]).toBe('fix');
        expect(parsed.message).not.toBe('');
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives what it accepts again when asked again, also through JSON', () => {
    let accepted = 0;
    fc.assert(
      fc.property(nearlyRight, (input) => {
        const parsed = parse(input);
        if (!parsed.ok) return;
        accepted++;
        expect(parse(parsed.value)).toEqual(parsed);
        expect(parse(JSON.parse(JSON.stringify(parsed.value)))).toEqual(parse(JSON.parse(JSON.stringify(input))));
      }),
      { numRuns: 1_000, seed: 1 },
    );
    expect(accepted).toBeGreaterThan(20);
  });

  it.each([undefined, null, 0, 'text', true, [], () => 1, Buffer.from('{}')])('L1: refuses %s', (input: unknown) => {
    expect(parse(input)).toMatchObject({ ok: false, code: 'invalid' });
  });
});

describe('parsePush', () => {
  const push = {
    document: 'board-1',
    opNo: 2,
    after: 1,
    base: 7,
    ops: [{ op: 'put', key: 'shape:1', value: { x: 1 } }],
  };

  it('keeps the known fields, in one order, and drops the others', () => {
    const shuffled = { ops: push.ops, unknown: 1, after: 1, base: 7, opNo: 2, document: 'board-1', user: 'mallory' };
    const parsed = parsePush(shuffled);
    expect(JSON.stringify(parsed)).toBe(JSON.stringify({ ok: true, value: push }));
  });

  it('gives every op with its fields in one order', () => {
    const ops = [
      { value: 1, key: 'a', op: 'put', if: { absent: true }, x: 1 },
      { key: 'a', op: 'patch' },
      { unset: ['b'], set: { c: 1 }, key: 'a', op: 'patch', if: { exists: true } },
      { if: { seq: 3 }, key: 'a', op: 'delete' },
      { by: -0.5, field: 'n', key: 'a', op: 'increment' },
      { values: [1, 2], field: 'points', key: 'a', op: 'append' },
    ];
    expect(JSON.stringify(parsePush({ ...push, ops }))).toBe(
      JSON.stringify({
        ok: true,
        value: {
          ...push,
          ops: [
            { op: 'put', key: 'a', value: 1, if: { absent: true } },
            { op: 'patch', key: 'a', set: {}, unset: [] },
            { op: 'patch', key: 'a', set: { c: 1 }, unset: ['b'], if: { exists: true } },
            { op: 'delete', key: 'a', if: { seq: 3 } },
            { op: 'increment', key: 'a', field: 'n', by: -0.5 },
            { op: 'append', key: 'a', field: 'points', values: [1, 2] },
          ],
        },
      }),
    );
  });

  it.each([
    ['no document', { document: undefined }, 'document'],
    ['an empty document id', { document: '' }, 'document'],
    ['a long document id', { document: 'a'.repeat(129) }, 'document'],
    ['a strange document id', { document: '../etc' }, 'document'],
    ['a document id with a line break', { document: 'board\n' }, 'document'],
    ['a document id that is a list', { document: ['board-1'] }, 'document'],
    ['opNo 0', { opNo: 0, after: 0 }, 'opNo'],
    ['a negative opNo', { opNo: -1 }, 'opNo'],
    ['half an opNo', { opNo: 1.5 }, 'opNo'],
    ['an opNo beyond what a number can count', { opNo: 2 ** 53 }, 'opNo'],
    ['opNo as text', { opNo: '2' }, 'opNo'],
    ['1e400 as opNo', { opNo: JSON.parse('1e400') }, 'opNo'],
    ['no after', { after: undefined }, 'after'],
    ['after that is not before opNo', { after: 2 }, 'after'],
    ['base as text', { base: '7' }, 'base'],
    ['no ops', { ops: [] }, 'ops'],
    ['ops that are not a list', { ops: { 0: push.ops[0] } }, 'ops'],
  ])('L1: refuses %s', (_what, wrong, path) => {
    expect(parsePush({ ...push, ...wrong })).toMatchObject({ ok: false, code: 'invalid', path });
  });

  it('L2: takes as many ops as the limit says, and no more', () => {
    const ops = Array.from({ length: LIMITS.opsPerPush }, (_, n) => ({ op: 'delete', key: `k${n}` }));
    expect(parsePush({ ...push, ops }).ok).toBe(true);
    const tooMany = { ...push, ops: [...ops, ops[0]] };
    expect(parsePush(tooMany)).toMatchObject({ ok: false, code: 'too_large', limit: 'opsPerPush' });
  });
});

describe('parseOps', () => {
  it.each([
    ['an op that is not an object', 'put', 'ops[0]'],
    ['an unknown op', { op: 'move', key: 'a' }, 'ops[0].op'],
    ['an op named like a method', { op: 'toString', key: 'a' }, 'ops[0].op'],
    ['no key', { op: 'delete' }, 'ops[0].key'],
    ['an empty key', { op: 'delete', key: '' }, 'ops[0].key'],
    ['a key that is too long', { op: 'delete', key: 'k'.repeat(257) }, 'ops[0].key'],
    ['a key that is too long in UTF-8', { op: 'delete', key: 'ä'.repeat(129) }, 'ops[0].key'],
    ['a key with U+0000', { op: 'delete', key: 'a\u0000' }, 'ops[0].key'],
    ['a key with a control character', { op: 'delete', key: 'a\u0085' }, 'ops[0].key'],
    ['a key with a lone surrogate', { op: 'delete', key: 'a\ud800' }, 'ops[0].key'],
    ['the key __proto__', { op: 'delete', key: '__proto__' }, 'ops[0].key'],
    ['the key constructor', { op: 'put', key: 'constructor', value: 1 }, 'ops[0].key'],
    ['the key prototype', { op: 'patch', key: 'prototype', set: {} }, 'ops[0].key'],
    ['put without a value', { op: 'put', key: 'a' }, 'ops[0].value'],
    ['put of 1e400', { op: 'put', key: 'a', value: JSON.parse('{"n": 1e400}') }, 'ops[0].value.n'],
    ['put of U+0000', { op: 'put', key: 'a', value: 'x\u0000' }, 'ops[0].value'],
    ['put of a lone surrogate', { op: 'put', key: 'a', value: ['x\udfff'] }, 'ops[0].value[0]'],
    ['put of __proto__', { op: 'put', key: 'a', value: JSON.parse('{"__proto__": 1}') }, 'ops[0].value.__proto__'],
    ['put of bytes', { op: 'put', key: 'a', value: { x: Buffer.from('x') } }, 'ops[0].value.x'],
    ['patch with a set that is a list', { op: 'patch', key: 'a', set: [] }, 'ops[0].set'],
    ['patch with a set that is null', { op: 'patch', key: 'a', set: null }, 'ops[0].set'],
    ['patch of constructor', { op: 'patch', key: 'a', set: { constructor: 1 } }, 'ops[0].set.constructor'],
    ['patch with an unset that is no list', { op: 'patch', key: 'a', unset: 'x' }, 'ops[0].unset'],
    ['patch with an unset that is null', { op: 'patch', key: 'a', unset: null }, 'ops[0].unset'],
    ['patch that unsets __proto__', { op: 'patch', key: 'a', unset: ['__proto__'] }, 'ops[0].unset'],
    ['patch that unsets a number', { op: 'patch', key: 'a', unset: [1] }, 'ops[0].unset'],
    ['increment without a field', { op: 'increment', key: 'a', by: 1 }, 'ops[0].field'],
    ['increment of __proto__', { op: 'increment', key: 'a', field: '__proto__', by: 1 }, 'ops[0].field'],
    ['increment by a text', { op: 'increment', key: 'a', field: 'n', by: '1' }, 'ops[0].by'],
    ['increment by 1e400', { op: 'increment', key: 'a', field: 'n', by: JSON.parse('1e400') }, 'ops[0].by'],
    ['append of what is no list', { op: 'append', key: 'a', field: 'n', values: 1 }, 'ops[0].values'],
    ['append to prototype', { op: 'append', key: 'a', field: 'prototype', values: [] }, 'ops[0].field'],
    ['append of NaN', { op: 'append', key: 'a', field: 'n', values: [NaN] }, 'ops[0].values[0]'],
    ['a condition that is null', { op: 'delete', key: 'a', if: null }, 'ops[0].if'],
    ['a condition that is false', { op: 'delete', key: 'a', if: { exists: false } }, 'ops[0].if'],
    ['two conditions', { op: 'delete', key: 'a', if: { exists: true, seq: 1 } }, 'ops[0].if'],
    ['a negative seq', { op: 'delete', key: 'a', if: { seq: -1 } }, 'ops[0].if'],
    ['an unknown condition', { op: 'delete', key: 'a', if: { newer: true } }, 'ops[0].if'],
  ])('L1: refuses %s', (_what, op: unknown, path) => {
    expect(parseOps([op])).toMatchObject({ ok: false, code: 'invalid', path });
    const behind = parseOps([{ op: 'delete', key: 'a' }, op]);
    expect(behind).toMatchObject({ ok: false, code: 'invalid', path: path.replace('[0]', '[1]') });
  });

  it('L2: takes a value up to the limit of an op, measured in UTF-8', () => {
    const put = (value: string): unknown => [{ op: 'put', key: 'a', value }];
    expect(parseOps(put('x'.repeat(LIMITS.opBytes - 2))).ok).toBe(true);
    expect(parseOps(put('x'.repeat(LIMITS.opBytes - 1)))).toMatchObject({ code: 'too_large', limit: 'opBytes' });
    expect(parseOps(put('ä'.repeat(LIMITS.opBytes / 2)))).toMatchObject({ code: 'too_large', limit: 'opBytes' });
  });

  it('L2: takes values as deep as the limit says, and no deeper', () => {
    const nested = (depth: number): unknown => {
      let value: unknown = 1;
      for (let i = 0; i < depth; i++) value = [value];
      return value;
    };
    expect(parseOps([{ op: 'put', key: 'a', value: nested(LIMITS.depth) }]).ok).toBe(true);
    expect(parseOps([{ op: 'put', key: 'a', value: nested(LIMITS.depth + 1) }])).toMatchObject({ code: 'invalid' });
    expect(parseOps([{ op: 'put', key: 'a', value: nested(20_000) }])).toMatchObject({ code: 'invalid' });
  });

  it('leaves the prototype of everything alone', () => {
    parseOps(JSON.parse('[{"op": "put", "key": "a", "value": {"__proto__": {"polluted": true}}}]'));
    parseOps(JSON.parse('[{"__proto__": {"polluted": true}, "op": "delete", "key": "a"}]'));
    expect(Object.prototype).not.toHaveProperty('polluted');
  });
});

describe('the other messages', () => {
  it.each([
    ['open since a text', parseOpen, { document: 'a', since: 'now' }, 'since'],
    ['open since a seq without its timeline', parseOpen, { document: 'a', since: { seq: 1 } }, 'since'],
    ['open with a negative epoch', parseOpen, { document: 'a', epoch: -1 }, 'epoch'],
    ['open with an unknown pin', parseOpen, { document: 'a', pin: 'here' }, 'pin'],
    ['open with a next that is no number', parseOpen, { document: 'a', next: 'x' }, 'next'],
    ['read with keys that are no list', parseRead, { document: 'a', keys: 'x' }, 'keys'],
    ['read with an odd key', parseRead, { document: 'a', keys: ['x', ''] }, 'keys[1]'],
    ['read with a prefix that is no text', parseRead, { document: 'a', prefix: 1 }, 'prefix'],
    ['read with half a minSeq', parseRead, { document: 'a', minSeq: 0.5 }, 'minSeq'],
    ['read with an empty timeline', parseRead, { document: 'a', timeline: '' }, 'timeline'],
    ['read with allowStale as text', parseRead, { document: 'a', allowStale: 'yes' }, 'allowStale'],
    ['entries from 0', parseEntries, { document: 'a', from: 0 }, 'from'],
    ['presence without a state', parsePresence, { document: 'a' }, 'state'],
    ['presence with a list', parsePresence, { document: 'a', state: [] }, 'state'],
    [
      'presence with __proto__',
      parsePresence,
      { document: 'a', state: JSON.parse('{"__proto__": 1}') },
      'state.__proto__',
    ],
    ['an empty token', parseToken, { token: '' }, 'token'],
    ['a token that is too long', parseToken, { token: 'x'.repeat(LIMITS.tokenChars + 1) }, 'token'],
    ['a close of nothing', parseClose, {}, 'document'],
    ['a handshake without a protocol', parseHandshake, {}, 'protocol'],
    ['a handshake with the protocol as text', parseHandshake, { protocol: '1' }, 'protocol'],
    ['a handshake with an odd session', parseHandshake, { protocol: 1, session: 'a b' }, 'session'],
    ['a handshake with a token that is no text', parseHandshake, { protocol: 1, token: 7 }, 'token'],
  ] as const)('L1: refuses %s', (_what, parse, input, path) => {
    expect(parse(input)).toMatchObject({ ok: false, code: 'invalid', path });
  });

  it('L2: bounds the keys of a read and the size of a presence state', () => {
    const keys = Array.from({ length: LIMITS.keysPerRead + 1 }, (_, n) => `k${n}`);
    expect(parseRead({ document: 'a', keys })).toMatchObject({ code: 'too_large', limit: 'keysPerRead' });
    expect(parseRead({ document: 'a', keys: keys.slice(1) }).ok).toBe(true);
    const state = { name: 'x'.repeat(LIMITS.presenceBytes) };
    expect(parsePresence({ document: 'a', state })).toMatchObject({ code: 'too_large', limit: 'presenceBytes' });
    expect(parsePresence({ document: 'a', state: null })).toEqual({ ok: true, value: { document: 'a', state: null } });
  });
});

describe('ids', () => {
  it.each(['a', '0', 'board-1', 'A.b_c:d~e', 'a'.repeat(128)])('takes the document id %s', (id) =>
    expect(isDocumentId(id)).toBe(true),
  );
  it.each(['', '-a', '.', '_a', 'a b', 'a/b', 'a\n', 'ä', 'a*', 'a'.repeat(129), 1, null])(
    'L1: refuses the document id %s',
    (id) => expect(isDocumentId(id)).toBe(false),
  );
  it.each(['', 'a b', 'a:b', 'a\n', 'a'.repeat(129), 7])('L1: refuses the session id %s', (id) =>
    expect(isSessionId(id)).toBe(false),
  );
  it('takes keys of any script, up to 256 bytes', () => {
    for (const key of ['a', 'shape:7', 'Größe', '图形', '😀'.repeat(64), 'k'.repeat(256)])
      expect(keyFlaw(key)).toBeUndefined();
    expect(keyFlaw('😀'.repeat(65))).toContain('longer');
  });
});

/** Messages that are right, or wrong in a place or two. */
const value = fc.jsonValue({ maxDepth: 3 });
const key = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('a', 'shape:7', 'Größe') }, fc.string());
const field = fc.oneof({ weight: 5, arbitrary: fc.constantFrom('x', 'points') }, fc.string());
const count = fc.oneof({ weight: 5, arbitrary: fc.nat() }, fc.double(), value);
const condition = fc.oneof(fc.constantFrom({ absent: true }, { exists: true }), fc.record({ seq: count }), value);
const when = fc.option(fc.record({ if: condition }), { nil: {}, freq: 1 });
const op = fc
  .tuple(
    fc.oneof(
      fc.record({ op: fc.constant('put'), key, value }),
      fc.record({ op: fc.constant('patch'), key, set: fc.dictionary(field, value), unset: fc.array(field) }),
      fc.record({ op: fc.constant('delete'), key }),
      fc.record({ op: fc.constant('increment'), key, field, by: fc.oneof(fc.double(), fc.integer()) }),
      fc.record({ op: fc.constant('append'), key, field, values: fc.array(value) }),
      fc.record({ op: fc.constantFrom('delete', 'put', 'move'), key }),
    ),
    when,
  )
  .map(([body, rest]) => (typeof body === 'object' && body !== null ? { ...body, ...rest } : body));
const document = fc.oneof({ weight: 8, arbitrary: fc.constantFrom('board-1', 'a') }, value);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const push = fc.record({
  document,
  opNo: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1 }) }, count),
  after: fc.constantFrom(0, 0, 0, 1, -1),
  base: maybe(fc.nat()),
  ops: fc.array(op, { minLength: 1, maxLength: 3 }),
});
const nearlyRight: fc.Arbitrary<unknown> = fc.oneof(
  fc.array(op, { minLength: 1, maxLength: 4 }),
  { weight: 3, arbitrary: push },
  fc.record({ document, since: maybe(fc.record({ timeline: fc.string(), seq: count })), epoch: maybe(count) }),
  fc.record({ document, keys: maybe(fc.array(key)), prefix: maybe(key), minSeq: maybe(count) }),
  fc.record({ document, from: count }),
  fc.record({ document, state: fc.oneof(fc.dictionary(field, value), fc.constant(null), value) }),
  fc.record({ protocol: count, token: maybe(fc.string()), session: maybe(fc.constantFrom('s.1', 'a b')) }),
  fc.record({ document, next: maybe(count), token: maybe(fc.string()) }),
);
