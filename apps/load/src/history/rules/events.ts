/**
 * Rule 7: what a subscriber was shown is contiguous from the snapshot that it began with, with no hole and no repeat, and
 * each entry is in the log with that content.
 */
import { groupBy, sessionKey, type Evidence, type Violation } from '../evidence.js';
import type { LogEntry } from '../final-log.js';
import { digestOf, digestOfRun, type CopyOperation } from '../operation.js';

export function checkEvents({ history, log }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const rows = groupBy(log, (row) => row.document);
  const copies = history.filter((operation) => operation.kind === 'copy');
  for (const [document, shown] of groupBy(copies, (copy) => copy.document)) {
    const logged = new Log((rows.get(document) ?? []).flatMap(({ entries }) => entries));
    for (const copiesOfOne of groupBy(shown, ({ user, session }) => sessionKey(document, user, session)).values())
      for (const seen of checkSubscriber(copiesOfOne, logged)) violations.push({ rule: 7, document, ...seen });
  }
  return violations;
}

/** In the order in which it was recorded: each subscriber is in one history. */
function* checkSubscriber(copies: readonly CopyOperation[], log: Log): Iterable<Pick<Violation, 'says' | 'at'>> {
  let stood = 0;
  for (const { session, seq, shown, end: at } of copies) {
    if (shown !== undefined) {
      if (shown.from !== stood + 1)
        yield { at, says: `${session} stood at ${stood} and was shown ${shown.from}..${seq}` };
      if (shown.digest !== log.digest(shown.from, seq))
        yield { at, says: `${session} was shown ${shown.from}..${seq}, and the log does not hold that` };
    }
    stood = seq;
  }
}

/** The digests of a document's entries, each made once. */
class Log {
  readonly #digests = new Map<number, string>();

  constructor(entries: readonly LogEntry[]) {
    for (const entry of entries) this.#digests.set(entry.seq, digestOf(entry));
  }

  /** Undefined where the log has a hole, or ends before. */
  digest(from: number, to: number): string | undefined {
    const run: string[] = [];
    for (let seq = from; seq <= to; seq++) {
      const digest = this.#digests.get(seq);
      if (digest === undefined) return undefined;
      run.push(digest);
    }
    return digestOfRun(run);
  }
}
