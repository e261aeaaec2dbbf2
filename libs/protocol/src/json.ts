/** Size and soundness of JSON values, in one walk. */
import type { Json } from './terms.js';

/** Names that reach an object's prototype where code is careless: never a key, never a field. */
export function isForbiddenName(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype';
}

/** Bytes of the value as UTF-8 JSON, without making the text. The value is sound (`checkJson`). */
export function jsonBytes(value: Json): number {
  if (value === null) return 4;
  switch (typeof value) {
    case 'boolean':
      return value ? 4 : 5;
    case 'number':
      return numberBytes(value);
    case 'string':
      return stringBytes(value);
    default: {
      if (Array.isArray(value)) {
        let bytes = value.length === 0 ? 2 : value.length + 1;
        for (const item of value) bytes += jsonBytes(item);
        return bytes;
      }
      const object = value as { readonly [field: string]: Json };
      const fields = Object.keys(object);
      let bytes = fields.length === 0 ? 2 : fields.length + 1;
      for (const field of fields) bytes += stringBytes(field) + 1 + jsonBytes(object[field]!);
      return bytes;
    }
  }
}

function numberBytes(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 1000) return value < 10 ? 1 : value < 100 ? 2 : 3;
  return String(value).length;
}

function stringBytes(text: string): number {
  let bytes = 2;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char < 0x20) bytes += char >= 8 && char <= 13 && char !== 11 ? 2 : 6;
    else if (char === 0x22 || char === 0x5c) bytes += 2;
    else if (char < 0x80) bytes += 1;
    else if (char < 0x800) bytes += 2;
    else if (char >= 0xd800 && char <= 0xdfff)
      bytes += 2; // half of a pair that takes four bytes
    else bytes += 3;
  }
  return bytes;
}

/** Why `text` may not be stored, or undefined: Postgres refuses U+0000 and lone surrogates in `jsonb`. */
export function checkText(text: string): string | undefined {
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === 0) return 'holds the character U+0000';
    if (char < 0xd800 || char > 0xdfff) continue;
    const next = text.charCodeAt(i + 1);
    if (char > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return 'holds a lone surrogate';
    i++;
  }
  return undefined;
}

export interface Flaw {
  readonly path: string;
  readonly why: string;
}

/** The first thing in `value` that is not sound JSON within `depthMax`, or undefined. */
export function checkJson(value: unknown, path: string, depthMax: number): Flaw | undefined {
  const flaw = flawIn(value, depthMax);
  return flaw && { path: path + flaw.path, why: flaw.why };
}

/** The path grows on the way out, so that a sound value costs no text. */
function flawIn(value: unknown, depthMax: number): Flaw | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : { path: '', why: 'is not a finite number' };
    case 'string': {
      const why = checkText(value);
      return why === undefined ? undefined : { path: '', why };
    }
    case 'object':
      break;
    default:
      return { path: '', why: 'is not JSON' };
  }
  if (value === null) return undefined;
  if (depthMax <= 0) return { path: '', why: 'is nested too deeply' };
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const flaw = flawIn(value[i], depthMax - 1);
      if (flaw) return { path: `[${i}]${flaw.path}`, why: flaw.why };
    }
    return undefined;
  }
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null) return { path: '', why: 'is not plain JSON' };
  for (const field of Object.keys(value)) {
    if (isForbiddenName(field)) return { path: `.${field}`, why: 'is a forbidden name' };
    const why = checkText(field);
    if (why !== undefined) return { path: '', why: `has a field name that ${why}` };
    const flaw = flawIn((value as Record<string, unknown>)[field], depthMax - 1);
    if (flaw) return { path: `.${shortened(field)}${flaw.path}`, why: flaw.why };
  }
  return undefined;
}

/** A refusal repeats no long name that somebody sent. */
function shortened(name: string): string {
  return name.length <= 64 ? name : `${name.slice(0, 64).replace(/[\ud800-\udbff]$/, '')}…`;
}
