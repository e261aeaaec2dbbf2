/**
 * The only door: what comes from a socket or an HTTP body is `unknown` until one of these has looked at it.
 *
 * A parser gives the message with its known fields only, in one order (the digest of a push rests on that), or the
 * refusal to answer with. Values are not copied. The parsers sit on the hot path: plain code, one walk, no regular
 * expression on long texts.
 */
import { refuse, type Refusal } from './codes.js';
import { checkJson, checkText, isForbiddenName, jsonBytes } from './json.js';
import { LIMITS } from './limits.js';
import type {
  CloseRequest,
  Condition,
  EntriesRequest,
  Handshake,
  Op,
  OpenNextRequest,
  OpenRequest,
  PresenceRequest,
  PushRequest,
  ReadRequest,
  TokenRequest,
} from './messages.js';
import type { DocumentId, Epoch, Json, JsonObject, Position, Seq, SessionId } from './terms.js';

export type Parsed<T> = { readonly ok: true; readonly value: T } | Refusal;

type Fields = { readonly [field: string]: unknown };

const DOCUMENT_ID = /^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$/;
const SESSION_ID = /^[A-Za-z0-9._~-]{1,128}$/;

export function isDocumentId(value: unknown): value is DocumentId {
  return typeof value === 'string' && value.length <= LIMITS.documentIdChars && DOCUMENT_ID.test(value);
}

export function isSessionId(value: unknown): value is SessionId {
  return typeof value === 'string' && value.length <= LIMITS.sessionIdChars && SESSION_ID.test(value);
}

export function parseHandshake(input: unknown): Parsed<Handshake> {
  const fields = asFields(input);
  if (!fields) return notAnObject();
  const { protocol, token, session } = fields;
  if (!isCount(protocol)) return refuse.invalid('protocol', 'protocol must be the version of the wire, a whole number');
  if (token !== undefined && !isToken(token)) return refuse.invalid('token', 'token must be a text');
  if (session !== undefined && !isSessionId(session))
    return refuse.invalid('session', 'session must be 1 to 128 of A-Z a-z 0-9 . _ ~ -');
  return done({ protocol, ...(token !== undefined && { token }), ...(session !== undefined && { session }) });
}

export function parseOpen(input: unknown): Parsed<OpenRequest | OpenNextRequest> {
  const fields = asFields(input);
  if (!fields) return notAnObject();
  const { document, since, epoch, pin, next } = fields;
  if (!isDocumentId(document)) return badDocument();
  if (next !== undefined) {
    if (!isCount(next)) return refuse.invalid('next', 'next must be the number that the last page carried');
    return done({ document, next });
  }
  if (since !== undefined && !isPosition(since)) return refuse.invalid('since', 'since must be {timeline, seq}');
  if (epoch !== undefined && !isCount(epoch)) return refuse.invalid('epoch', 'epoch must be a whole number');
  if (pin !== undefined && pin !== 'redirect' && pin !== 'relay')
    return refuse.invalid('pin', 'pin must be "redirect" or "relay"');
  return done({
    document,
    ...(since !== undefined && { since: { timeline: since.timeline, seq: since.seq } }),
    ...(epoch !== undefined && { epoch: epoch as Epoch }),
    ...(pin !== undefined && { pin }),
  });
}

export function parsePush(input: unknown): Parsed<PushRequest> {
  const fields = asFields(input);
  if (!fields) return notAnObject();
  const { document, opNo, after, base } = fields;
  if (!isDocumentId(document)) return badDocument();
  if (!isCount(opNo) || opNo === 0) return refuse.invalid('opNo', 'opNo must be 1, 2, 3 …');
  if (!isCount(after) || after >= opNo) return refuse.invalid('after', 'after must be a whole number below opNo');
  if (base !== undefined && !isCount(base)) return refuse.invalid('base', 'base must be a seq');
  const ops = parseOps(fields['ops']);
  if (!ops.ok) return ops;
  return done({ document, opNo, after, ...(base !== undefined && { base: base as Seq }), ops: ops.value });
}

export function parseOps(input: unknown): Parsed<readonly Op[]> {
  if (!Array.isArray(input) || input.length === 0)
    return refuse.invalid('ops', 'ops must be an array with an op in it');
  if (input.length > LIMITS.opsPerPush)
    return refuse.tooLarge('opsPerPush', `a push takes at most ${LIMITS.opsPerPush} ops`);
  const ops: Op[] = [];
  for (let i = 0; i < input.length; i++) {
    const op = parseOp(input[i], i);
    if (!op.ok) return op;
    ops.push(op.value);
  }
  return { ok: true, value: ops };
}

export function parseRead(input: unknown): Parsed<ReadRequest> {
  const fields = asFields(input);
  if (!fields) return notAnObject();
  const { document, keys, prefix, minSeq, timeline, allowStale } = fields;
  if (!isDocumentId(document)) return badDocument();
  if (keys !== undefined) {
    if (!Array.isArray(keys)) return refuse.invalid('keys', 'keys must be an array of record keys');
    if (keys.length > LIMITS.keysPerRead)
      return refuse.tooLarge('keysPerRead', `a read takes at most ${LIMITS.keysPerRead} keys`);
    const odd = keys.findIndex((key) => keyFlaw(key) !== undefined);
    if (odd >= 0) return refuse.invalid(`keys[${odd}]`, `the key ${keyFlaw(keys[odd])}`);
  }
  if (prefix !== undefined && (typeof prefix !== 'string' || prefix.length > LIMITS.keyBytes))
    return refuse.invalid('prefix', 'prefix must be the beginning of a key');
  if (minSeq !== undefined && !isCount(minSeq)) return refuse.invalid('minSeq', 'minSeq must be a seq');
  if (timeline !== undefined && !isTimeline(timeline)) return refuse.invalid('timeline', 'timeline must be a text');
  if (allowStale !== undefined && typeof allowStale !== 'boolean')
    return refuse.invalid('allowStale', 'allowStale must be true or false');
  return done({
    document,
    ...(keys !== undefined && { keys: keys as string[] }),
    ...(prefix !== undefined && { prefix }),
    ...(minSeq !== undefined && { minSeq: minSeq as Seq }),
    ...(timeline !== undefined && { timeline }),
    ...(allowStale !== undefined && { allowStale }),
  });
}

export function parseEntries(input: unknown): Parsed<EntriesRequest> {
  const fields = asFields(input);
  if (!fields) return notAnObject();
  const { document, from } = fields;
  if (!isDocumentId(document)) return badDocument();
  if (!isCount(from) || from === 0) return refuse.invalid('from', 'from must be the seq of the first entry asked for');
  return done({ document, from: from as Seq });
}

export function parsePresence(input: unknown): Parsed<PresenceRequest> {
  const fields = asFields(input);
  if (!fields) return notAnObject();
  const { document, state } = fields;
  if (!isDocumentId(document)) return badDocument();
  if (state === null) return done({ document, state });
  if (!asFields(state)) return refuse.invalid('state', 'state must be an object or null');
  const flaw = checkJson(state, 'state', LIMITS.depth);
  if (flaw) return refuse.invalid(flaw.path, `${flaw.path} ${flaw.why}`);
  if (jsonBytes(state as Json) > LIMITS.presenceBytes)
    return refuse.tooLarge('presenceBytes', `a presence state takes at most ${LIMITS.presenceBytes} bytes`);
  return done({ document, state: state as JsonObject });
}

export function parseToken(input: unknown): Parsed<TokenRequest> {
  const token = asFields(input)?.['token'];
  return isToken(token) ? done({ token }) : refuse.invalid('token', 'token must be a text');
}

export function parseClose(input: unknown): Parsed<CloseRequest> {
  const document = asFields(input)?.['document'];
  return isDocumentId(document) ? done({ document }) : badDocument();
}

/** Of a key: why it is refused, or undefined. Keys are 1 to 256 bytes of UTF-8 without control characters. */
export function keyFlaw(key: unknown): string | undefined {
  if (typeof key !== 'string' || key.length === 0) return 'must be a text that is not empty';
  if (key.length > LIMITS.keyBytes) return `is longer than ${LIMITS.keyBytes} bytes`;
  if (isForbiddenName(key)) return 'is a forbidden name';
  let ascii = true;
  for (let i = 0; i < key.length; i++) {
    const char = key.charCodeAt(i);
    if (char < 0x20 || (char >= 0x7f && char < 0xa0)) return 'holds a control character';
    if (char > 0x7f) ascii = false;
  }
  if (ascii) return undefined;
  const why = checkText(key);
  if (why !== undefined) return why;
  return jsonBytes(key) - 2 > LIMITS.keyBytes ? `is longer than ${LIMITS.keyBytes} bytes` : undefined;
}

function parseOp(input: unknown, index: number): Parsed<Op> {
  const path = `ops[${index}]`;
  const fields = asFields(input);
  if (!fields) return refuse.invalid(path, 'an op must be an object');
  const keyWrong = keyFlaw(fields['key']);
  if (keyWrong !== undefined) return refuse.invalid(`${path}.key`, `the key ${keyWrong}`);
  const key = fields['key'] as string;
  const condition = parseCondition(fields['if'], `${path}.if`);
  if (!condition.ok) return condition;
  const when = condition.value && { if: condition.value };
  switch (fields['op']) {
    case 'put': {
      const flaw = valueFlaw(fields['value'], `${path}.value`);
      return flaw ?? done({ op: 'put', key, value: fields['value'] as Json, ...when });
    }
    case 'patch': {
      const { set = {}, unset = [] } = fields;
      if (!asFields(set)) return refuse.invalid(`${path}.set`, 'set must be an object');
      const flaw = valueFlaw(set, `${path}.set`);
      if (flaw) return flaw;
      if (!Array.isArray(unset) || unset.length > LIMITS.keysPerRead)
        return refuse.invalid(`${path}.unset`, 'unset must be an array of field names');
      for (const field of unset) {
        const wrong = fieldFlaw(field);
        if (wrong !== undefined) return refuse.invalid(`${path}.unset`, `a field name ${wrong}`);
      }
      return done({ op: 'patch', key, set: set as JsonObject, unset: unset as string[], ...when });
    }
    case 'delete':
      return done({ op: 'delete', key, ...when });
    case 'increment': {
      const { field, by } = fields;
      const wrong = fieldFlaw(field);
      if (wrong !== undefined) return refuse.invalid(`${path}.field`, `the field name ${wrong}`);
      if (typeof by !== 'number' || !Number.isFinite(by))
        return refuse.invalid(`${path}.by`, 'by must be a finite number');
      return done({ op: 'increment', key, field: field as string, by, ...when });
    }
    case 'append': {
      const { field, values } = fields;
      const wrong = fieldFlaw(field);
      if (wrong !== undefined) return refuse.invalid(`${path}.field`, `the field name ${wrong}`);
      if (!Array.isArray(values)) return refuse.invalid(`${path}.values`, 'values must be an array');
      const flaw = valueFlaw(values, `${path}.values`);
      return flaw ?? done({ op: 'append', key, field: field as string, values: values as Json[], ...when });
    }
    default:
      return refuse.invalid(`${path}.op`, 'op must be put, patch, delete, increment or append');
  }
}

function parseCondition(input: unknown, path: string): { ok: true; value: Condition | undefined } | Refusal {
  if (input === undefined) return { ok: true, value: undefined };
  const fields = asFields(input);
  if (fields && Object.keys(fields).length === 1) {
    if (fields['absent'] === true) return { ok: true, value: { absent: true } };
    if (fields['exists'] === true) return { ok: true, value: { exists: true } };
    if (isCount(fields['seq'])) return { ok: true, value: { seq: fields['seq'] as Seq } };
  }
  return refuse.invalid(path, 'if must be {absent: true}, {exists: true} or {seq: n}');
}

function valueFlaw(value: unknown, path: string): Refusal | undefined {
  const flaw = checkJson(value, path, LIMITS.depth);
  if (flaw) return refuse.invalid(flaw.path, `${flaw.path} ${flaw.why}`);
  if (jsonBytes(value as Json) > LIMITS.opBytes)
    return refuse.tooLarge('opBytes', `${path} is larger than ${LIMITS.opBytes} bytes`);
  return undefined;
}

function fieldFlaw(field: unknown): string | undefined {
  if (typeof field !== 'string') return 'must be a text';
  if (isForbiddenName(field)) return 'is forbidden';
  if (field.length > LIMITS.keyBytes) return `is longer than ${LIMITS.keyBytes} characters`;
  return checkText(field);
}

function asFields(input: unknown): Fields | undefined {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as Fields) : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LIMITS.tokenChars;
}

function isTimeline(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 128;
}

function isPosition(value: unknown): value is Position {
  const fields = asFields(value);
  return fields !== undefined && isTimeline(fields['timeline']) && isCount(fields['seq']);
}

function done<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

function notAnObject(): Refusal {
  return refuse.invalid('', 'the message must be an object');
}

function badDocument(): Refusal {
  return refuse.invalid('document', 'a document id is 1 to 128 of A-Z a-z 0-9 . _ : ~ -, a letter or digit first');
}
