/** How long to wait. Half of every wait is chance, so that the clients of a node that went down do not come back in one instant. */
import type { Random } from './random.js';

/** What a server asks for is heeded up to here: a wrong number must not silence a client. */
export const ASKED_WAIT_MS_MAX = 30_000;

/**
 * The wait before try number `attempt`: 100 ms, for most breaks are short; then 250 ms, doubled up to 2 s; after ten
 * failures in a row on to 30 s.
 */
export function backoffMs(attempt: number, random: Random): number {
  const doubled = 125 * 2 ** Math.min(attempt, 20);
  const laterMs = attempt < 10 ? Math.min(doubled, 2_000) : Math.min(doubled / 32, 30_000);
  return (attempt === 0 ? 100 : laterMs) * (0.5 + random.next() / 2);
}

/** The wait that a server asked for. */
export function askedWaitMs(askedMs: number): number {
  return askedMs > 0 ? Math.min(askedMs, ASKED_WAIT_MS_MAX) : 0;
}
