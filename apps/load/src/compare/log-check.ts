/**
 * Whether the log holds exactly what was acknowledged: of each document the seqs 1, 2, 3 … (rule 2 of the history
 * checker), and of each session its pushes in their order, each at the seq that its ack named, with the content that was
 * sent, and nothing besides. It is asked after each turn, when nothing is measured.
 *
 * A push whose answer never came may stand in the log or not; it has no ack to be held against.
 */
import type { DocumentId, SessionId } from '@homeport/protocol';
import { addText, NO_TEXT } from '../measuring/text-sum.js';
import { groupBy, type Violation } from '../history/evidence.js';
import { readFinalLog, type LogEntry, type LogRow } from '../history/final-log.js';
import { checkLogOrder } from '../history/rules/log-order.js';

/** What one session remembers. `Writer` is one. */
export interface Receipts {
  readonly document: DocumentId;
  readonly session: SessionId;
  /** By opNo - 1: the seq of the ack. */
  readonly acked: readonly number[];
  readonly unanswered: number;
  /** Of the texts of all ops that were sent. */
  readonly opsSum: number;
}

export async function checkLog(databaseUrl: string, receipts: readonly Receipts[]): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [document, sessions] of groupBy(receipts, (each) => each.document))
    violations.push(...checkDocument(document, await readFinalLog(databaseUrl, document), sessions));
  return violations;
}

/** `log`: all of the document; `receipts`: of all who wrote to it. */
export function checkDocument(
  document: DocumentId,
  log: readonly LogRow[],
  receipts: readonly Receipts[],
): readonly Violation[] {
  const violations = checkLogOrder({ history: [], log, spans: [], faults: [] });
  const report = (says: string): void => void violations.push({ rule: 1, document, says });
  const entries = groupBy(
    log.flatMap((row) => row.entries),
    ({ session }) => session,
  );
  for (const receipt of receipts) {
    checkSession(receipt, entries.get(receipt.session) ?? [], report);
    entries.delete(receipt.session);
  }
  for (const session of entries.keys()) report(`session ${session} stands in the log and never wrote`);
  return violations;
}

function checkSession(receipt: Receipts, entries: readonly LogEntry[], report: (says: string) => void): void {
  const { session, acked, unanswered, opsSum } = receipt;
  const inLog = new Map<number, number>(entries.map(({ opNo, seq }) => [opNo, seq]));
  if (inLog.size !== entries.length) report(`pushes of session ${session} stand in the log twice`);
  // `forEach` leaves out those that were never acknowledged.
  acked.forEach((seq, i) => {
    const found = inLog.get(i + 1);
    if (found === undefined) report(`push ${i + 1} of ${session}, acknowledged at ${seq}, is lost`);
    else if (found !== seq) report(`push ${i + 1} of ${session} was acknowledged at ${seq} and stands at ${found}`);
  });
  if (unanswered > 0) return;
  if (entries.length > acked.length)
    report(`${entries.length - acked.length} pushes of ${session} were never acknowledged`);
  const sum = entries.reduce((sum, { ops }) => addText(sum, JSON.stringify(ops)), NO_TEXT);
  if (sum !== opsSum) report(`the pushes of ${session} do not hold what was sent`);
}
