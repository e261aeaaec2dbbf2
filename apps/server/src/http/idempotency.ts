import { createHash, randomUUID } from 'node:crypto';
import { refuse, type SessionId, type UserId } from '@homeport/protocol';
import { Refused } from './refused.js';

export const IDEMPOTENCY_HEADER = 'Idempotency-Key';

/**
 * A request with an Idempotency-Key is a session of its own that pushes once: what the document remembers of sessions
 * then answers a retry as it answered the first time. Without a key the push is not remembered (opNo 0), and its
 * session is nobody else's, so that no other request's writes pass for its own where it asks for a record's version.
 */
export function sessionOf(user: UserId, key: string | undefined): { session: SessionId; opNo: 0 | 1 } {
  if (key === undefined) return { session: `http.${randomUUID()}`, opNo: 0 };
  if (!/^[\x20-\x7e]{1,255}$/.test(key))
    throw new Refused(
      refuse.invalid(IDEMPOTENCY_HEADER, `${IDEMPOTENCY_HEADER} must be 1 to 255 printable characters`),
    );
  const digest = createHash('sha256')
    .update(JSON.stringify([user, key]))
    .digest('hex');
  return { session: `http.${digest.slice(0, 40)}`, opNo: 1 };
}
