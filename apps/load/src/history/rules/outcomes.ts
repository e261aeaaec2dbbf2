/**
 * Rule 1: every acknowledged push is in the log, at its seq, once, with its content; every refused one is not; one whose
 * outcome is unknown may be. Nothing that a known session never sent is there.
 */
import { digest, type Code, type DocumentId, type Seq } from '@homeport/protocol';
import { entriesOf, pushKey, sessionKey, type Evidence, type Violation } from '../evidence.js';

interface Logged {
  readonly document: DocumentId;
  readonly seq: Seq;
  readonly digest: string;
}

/**
 * What a refusal says of its push. `absent`: it was judged, or never will be, and has no effect. `nothing`: this
 * attempt was not judged, and an earlier one may have had an effect.
 */
const REFUSED: Record<Code, 'absent' | 'nothing'> = {
  conflict: 'absent',
  invalid: 'absent',
  too_large: 'absent',
  superseded: 'absent',
  moved: 'nothing',
  unavailable: 'nothing',
  rate_limited: 'nothing',
  gap: 'nothing',
  not_open: 'nothing',
  resync: 'nothing',
  unauthenticated: 'nothing',
  forbidden: 'nothing',
  session_conflict: 'nothing',
  expired: 'nothing',
  unsupported_protocol: 'nothing',
};

export function checkOutcomes({ history, log }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const report = (document: DocumentId, says: string, at?: number): void =>
    void violations.push({ rule: 1, document, says, ...(at !== undefined && { at }) });

  const logged = new Map<string, Logged>();
  for (const { document, entry } of entriesOf(log)) {
    if (entry.opNo === 0) continue;
    const key = pushKey(document, entry.user, entry.session, entry.opNo);
    const earlier = logged.get(key);
    if (earlier) report(document, `${name(entry)} is in the log twice, at ${earlier.seq} and at ${entry.seq}`);
    else logged.set(key, { document, seq: entry.seq, digest: digest(JSON.stringify(entry.ops)) });
  }

  const sent = new Set<string>();
  const sessions = new Set<string>();
  for (const operation of history) {
    sessions.add(sessionKey(operation.document, operation.user, operation.session));
    if (operation.kind !== 'push') continue;
    const key = pushKey(operation.document, operation.user, operation.session, operation.opNo);
    sent.add(key);
    const found = logged.get(key);
    if (found && found.digest !== operation.digest)
      report(operation.document, `${name(operation)} is in the log at ${found.seq} with another content`);
    switch (operation.outcome) {
      case 'ok':
        if (!found)
          report(
            operation.document,
            `${name(operation)} was acknowledged at ${operation.seq} and is lost`,
            operation.end,
          );
        else if (found.seq !== operation.seq)
          report(operation.document, `${name(operation)} was acknowledged at ${operation.seq} and is at ${found.seq}`);
        break;
      case 'failed':
        if (found && REFUSED[operation.code] === 'absent')
          report(
            operation.document,
            `${name(operation)} was refused (${operation.code}) and is in the log at ${found.seq}`,
          );
        break;
      case 'unknown':
        break;
    }
  }

  for (const { document, entry } of entriesOf(log)) {
    if (entry.opNo === 0 || !sessions.has(sessionKey(document, entry.user, entry.session))) continue;
    if (!sent.has(pushKey(document, entry.user, entry.session, entry.opNo)))
      report(document, `${name(entry)} at ${entry.seq} was never sent`);
  }
  return violations;
}

function name({ session, opNo }: { readonly session: string; readonly opNo: number }): string {
  return `push ${opNo} of session ${session}`;
}
