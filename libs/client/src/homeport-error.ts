/** What a refused write, open or token fetch rejects with. */
import type { Code, Json, Refusal } from '@homeport/protocol';

/** A code of the wire, or one of the two that only a client can meet: it was closed, or no token could be fetched. */
export type ErrorCode = Code | 'closed' | 'token';

export interface ErrorDetail {
  /** `conflict`: the record that stood in the way, and its value as the owner has it. */
  readonly key?: string;
  readonly current?: Json | null;
  /** `invalid`: where in the request. */
  readonly path?: string;
  /** `too_large`: the name of the limit. */
  readonly limit?: string;
  readonly cause?: unknown;
}

export class HomeportError extends Error {
  override readonly name = 'HomeportError';
  readonly code: ErrorCode;
  readonly key: string | undefined;
  readonly current: Json | null | undefined;
  readonly path: string | undefined;
  readonly limit: string | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(`${code}: ${message}`, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.key = detail.key;
    this.current = detail.current;
    this.path = detail.path;
    this.limit = detail.limit;
  }

  static from(refusal: Refusal): HomeportError {
    switch (refusal.code) {
      case 'conflict':
        return new HomeportError(refusal.code, refusal.message, { key: refusal.key, current: refusal.current });
      case 'invalid':
        return new HomeportError(refusal.code, refusal.message, { path: refusal.path });
      case 'too_large':
        return new HomeportError(refusal.code, refusal.message, { limit: refusal.limit });
      default:
        return new HomeportError(refusal.code, refusal.message);
    }
  }
}
