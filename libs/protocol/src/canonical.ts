/**
 * One text and one hash for one value, whoever wrote it: keys sorted, numbers as JSON writes them. Postgres' `jsonb`
 * reorders keys and rewrites numbers (1e21, -0), so two copies of a document are compared by this form only.
 */
import type { RecordState } from './messages.js';
import type { Json } from './terms.js';

export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const object = value as { readonly [field: string]: Json };
  const fields = Object.keys(object)
    .sort()
    .map((field) => `${JSON.stringify(field)}:${canonicalJson(object[field]!)}`);
  return `{${fields.join(',')}}`;
}

/**
 * 53 bits of a text, as a whole number. Fast and well spread, not cryptographic: it tells two honest contents apart.
 * (cyrb53 by bryc, public domain.)
 */
export function fingerprint(text: string): number {
  let h1 = 0xdeadbeef;
  let h2 = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    h1 = Math.imul(h1 ^ char, 2654435761);
    h2 = Math.imul(h2 ^ char, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 4294967296 * (2097151 & h2) + (h1 >>> 0);
}

/** A fingerprint as 14 hex digits: its form in the wire's hashes and at rest. */
export function hexOf(print: number): string {
  return print.toString(16).padStart(14, '0');
}

/** The fingerprint of a text, in hex. */
export function digest(text: string): string {
  return hexOf(fingerprint(text));
}

/** The hash of a document's state: all copies at the same seq have the same one. */
export function stateHash(records: Iterable<readonly [key: string, record: RecordState]>): string {
  const lines = [];
  for (const [key, { value, seq }] of records) lines.push(`${JSON.stringify(key)} ${seq} ${canonicalJson(value)}`);
  return digest(lines.sort().join('\n'));
}
