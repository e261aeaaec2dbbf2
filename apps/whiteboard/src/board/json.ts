/** JSON values as the binding needs them: copied, and compared by what they say. */
import type { Json } from '@homeport/protocol';

/**
 * A copy that is fit for the wire: fields that are undefined are left out; halves of surrogate pairs and NULs, which no
 * server takes, become U+FFFD. `undefined` if there is something in it that JSON can not say, such as NaN.
 */
export function copyJson(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'string':
      return value.replace(/\0|\p{Surrogate}/gu, '\ufffd');
    case 'object':
      if (value === null) return null;
      return Array.isArray(value) ? copyArray(value) : copyObject(value);
    default:
      return undefined;
  }
}

function copyArray(values: readonly unknown[]): Json | undefined {
  const copies: Json[] = [];
  for (const value of values) {
    const copy = copyJson(value);
    if (copy === undefined) return undefined;
    copies.push(copy);
  }
  return copies;
}

function copyObject(value: object): Json | undefined {
  const copies: Record<string, Json> = {};
  for (const [field, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const copy = copyJson(item);
    if (copy === undefined) return undefined;
    copies[field] = copy;
  }
  return copies;
}

export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && beginsWith(a, b);
  }
  const [left, right] = [a as { readonly [field: string]: Json }, b as { readonly [field: string]: Json }];
  const fields = Object.keys(left);
  if (fields.length !== Object.keys(right).length) return false;
  return fields.every((field) => Object.hasOwn(right, field) && sameJson(left[field], right[field]));
}

/** Whether the first items of `long` are those of `short`. */
export function beginsWith(long: readonly Json[], short: readonly Json[]): boolean {
  return long.length >= short.length && short.every((item, index) => sameJson(item, long[index]));
}
