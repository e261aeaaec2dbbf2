import { HttpException } from '@nestjs/common';
import type { Code, Refusal } from '@homeport/protocol';

/** The same refusals as on the socket; the status is for those who look no further. */
const STATUS = {
  invalid: 400,
  unsupported_protocol: 400,
  unauthenticated: 401,
  forbidden: 403,
  conflict: 409,
  gap: 409,
  not_open: 409,
  session_conflict: 409,
  superseded: 409,
  expired: 410,
  resync: 410,
  too_large: 413,
  rate_limited: 429,
  moved: 503,
  unavailable: 503,
} as const satisfies Record<Code, number>;

/** A refusal on its way to becoming the response. */
export class Refused extends HttpException {
  constructor(
    readonly refusal: Refusal,
    status: number = STATUS[refusal.code],
  ) {
    super(refusal, status);
  }

  get retryAfterMs(): number | undefined {
    const { refusal } = this;
    if ('retryAfterMs' in refusal) return refusal.retryAfterMs;
    return 'afterMs' in refusal ? refusal.afterMs : undefined;
  }
}

/** The accepted reply; throws the refusal. */
export function accepted<Reply extends { readonly ok: true }>(reply: Reply | Refusal): Reply {
  if (!reply.ok) throw new Refused(reply);
  return reply;
}
