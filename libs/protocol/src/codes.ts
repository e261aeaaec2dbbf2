/**
 * Every refusal, and what the client owes when it gets one. This is the only place that defines a code.
 *
 * - `retry`           the same request again, after the time given, possibly elsewhere
 * - `resync`          throw the local copy away, open without `since`
 * - `reauthenticate`  fetch a new token
 * - `fix`             the request is wrong or lost a race: the application decides
 * - `stop`            this session can not go on
 */
import type { Epoch, Json, NodeRef } from './terms.js';

export type Duty = 'retry' | 'resync' | 'reauthenticate' | 'fix' | 'stop';

export const DUTIES = {
  moved: 'retry',
  unavailable: 'retry',
  rate_limited: 'retry',
  gap: 'retry',
  not_open: 'retry',
  resync: 'resync',
  unauthenticated: 'reauthenticate',
  conflict: 'fix',
  invalid: 'fix',
  too_large: 'fix',
  forbidden: 'fix',
  superseded: 'stop',
  session_conflict: 'stop',
  expired: 'stop',
  unsupported_protocol: 'stop',
} as const satisfies Record<string, Duty>;

export type Code = keyof typeof DUTIES;

interface Refused<C extends Code> {
  readonly ok: false;
  readonly code: C;
  /** For people: what is wrong and what to do. */
  readonly message: string;
}

export type Refusal =
  | (Refused<'moved'> & { readonly owner: NodeRef; readonly epoch: Epoch; readonly afterMs: number })
  | (Refused<'unavailable'> & { readonly retryAfterMs: number })
  | (Refused<'rate_limited'> & { readonly retryAfterMs: number })
  | (Refused<'gap'> & { readonly accepted: number })
  | (Refused<'conflict'> & { readonly key: string; readonly current: Json | null })
  | (Refused<'invalid'> & { readonly path: string })
  | (Refused<'too_large'> & { readonly limit: string })
  | Refused<'not_open'>
  | Refused<'resync'>
  | Refused<'unauthenticated'>
  | Refused<'forbidden'>
  | Refused<'superseded'>
  | Refused<'session_conflict'>
  | Refused<'expired'>
  | Refused<'unsupported_protocol'>;

/** One maker per code, so that a refusal never lacks its fields. */
export const refuse = {
  moved: (owner: NodeRef, epoch: Epoch, afterMs: number): Refusal => ({
    ok: false,
    code: 'moved',
    message: `the document lives on ${owner.name} now`,
    owner,
    epoch,
    afterMs,
  }),
  unavailable: (message: string, retryAfterMs: number): Refusal => ({
    ok: false,
    code: 'unavailable',
    message,
    retryAfterMs,
  }),
  rateLimited: (retryAfterMs: number): Refusal => ({
    ok: false,
    code: 'rate_limited',
    message: `too many requests; wait ${retryAfterMs} ms`,
    retryAfterMs,
  }),
  gap: (accepted: number): Refusal => ({
    ok: false,
    code: 'gap',
    message: `the last accepted push is ${accepted}: send what came after it, in order`,
    accepted,
  }),
  conflict: (key: string, current: Json | null, message: string): Refusal => ({
    ok: false,
    code: 'conflict',
    message,
    key,
    current,
  }),
  invalid: (path: string, message: string): Refusal => ({ ok: false, code: 'invalid', message, path }),
  tooLarge: (limit: string, message: string): Refusal => ({ ok: false, code: 'too_large', message, limit }),
  notOpen: (): Refusal => ({ ok: false, code: 'not_open', message: 'open the document on this socket first' }),
  resync: (message: string): Refusal => ({ ok: false, code: 'resync', message }),
  unauthenticated: (message: string): Refusal => ({ ok: false, code: 'unauthenticated', message }),
  forbidden: (message: string): Refusal => ({ ok: false, code: 'forbidden', message }),
  superseded: (): Refusal => ({
    ok: false,
    code: 'superseded',
    message: 'a later push of this session was accepted; this one was never evaluated',
  }),
  sessionConflict: (message: string): Refusal => ({ ok: false, code: 'session_conflict', message }),
  expired: (): Refusal => ({
    ok: false,
    code: 'expired',
    message: 'this session was away for too long: what became of its unanswered pushes is not known any more',
  }),
  unsupportedProtocol: (message: string): Refusal => ({ ok: false, code: 'unsupported_protocol', message }),
};
