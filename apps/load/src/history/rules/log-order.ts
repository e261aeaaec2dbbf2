/**
 * Rule 2: the seqs of a document are 1, 2, 3 … without a gap; its epochs never fall; the accepted opNos of a session
 * rise, and each entry's `after` names the one accepted before it.
 */
import type { DocumentId } from '@homeport/protocol';
import { sessionKey, type Evidence, type Violation } from '../evidence.js';

export function checkLogOrder({ log }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const report = (document: DocumentId, says: string): void => void violations.push({ rule: 2, document, says });
  const heads = new Map<DocumentId, { seq: number; epoch: number }>();
  const accepted = new Map<string, number>();

  for (const { document, seq, toSeq, epoch, entries } of log) {
    const head = heads.get(document) ?? { seq: 0, epoch: 0 };
    if (entries[0]?.seq !== seq || entries.at(-1)?.seq !== toSeq)
      report(document, `the batch ${seq}..${toSeq} holds ${entries[0]?.seq}..${entries.at(-1)?.seq}`);
    if (epoch < head.epoch) report(document, `epoch ${epoch} at ${seq} comes after epoch ${head.epoch}`);
    for (const entry of entries) {
      if (entry.seq !== head.seq + 1) report(document, `seq ${entry.seq} follows ${head.seq}`);
      head.seq = entry.seq;
      if (entry.opNo === 0) continue;
      const key = sessionKey(document, entry.user, entry.session);
      const last = accepted.get(key) ?? 0;
      if (entry.opNo <= last)
        report(document, `push ${entry.opNo} of session ${entry.session} at ${entry.seq} follows push ${last}`);
      if (entry.after !== last)
        report(document, `push ${entry.opNo} of ${entry.session} names ${entry.after} before it; the log has ${last}`);
      accepted.set(key, Math.max(last, entry.opNo));
    }
    heads.set(document, { seq: head.seq, epoch: Math.max(epoch, head.epoch) });
  }
  return violations;
}
