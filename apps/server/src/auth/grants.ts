import type { Grants } from '@homeport/core';
import { checkText, isForbiddenName } from '@homeport/protocol';

const GRANTS_MAX = 100;
const PATTERN_CHARS_MAX = 128;

/** Whether a value from outside says which documents may be read or written: {"board-*": "write"}. */
export function isAccessGrants(value: unknown): value is Grants {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const grants = Object.entries(value);
  return grants.length <= GRANTS_MAX && grants.every(([pattern, access]) => isPattern(pattern) && isAccess(access));
}

export function isAccess(value: unknown): value is 'read' | 'write' {
  return value === 'read' || value === 'write';
}

export function isPattern(text: string): boolean {
  return text.length > 0 && text.length <= PATTERN_CHARS_MAX && !isForbiddenName(text) && checkText(text) === undefined;
}
