/**
 * Rule 6: the state that anybody saw at seq v is the fold of the entries 1..v; in the end every client stands at the
 * head of the log, with the state of the log.
 */
import type { DocumentId } from '@homeport/protocol';
import { DocumentCopy } from '../document-copy.js';
import { groupBy, type Evidence, type Violation } from '../evidence.js';
import type { LogRow } from '../final-log.js';
import type { Operation } from '../operation.js';

interface Sighting {
  readonly seq: number;
  readonly hash: string;
  readonly who: string;
  readonly final: boolean;
}

export function checkState({ history, log }: Evidence): Violation[] {
  const rows = groupBy(log, (row) => row.document);
  const sightings = groupBy(history.flatMap(sightingOf), ([document]) => document);
  const violations: Violation[] = [];
  for (const [document, seen] of sightings) {
    const says = checkDocument(
      rows.get(document) ?? [],
      seen.map(([, sighting]) => sighting),
    );
    violations.push(...says.map((text) => ({ rule: 6, document, says: text })));
  }
  return violations;
}

/** One fold of the document, stopping at each seq that somebody saw. */
function checkDocument(rows: readonly LogRow[], seen: readonly Sighting[]): string[] {
  const says: string[] = [];
  const bySeq = [...groupBy(seen, (sighting) => sighting.seq)].sort(([a], [b]) => a - b);
  const copy = new DocumentCopy();
  let next = 0;
  const compare = (): void => {
    if (bySeq[next]?.[0] !== copy.seq) return;
    const hash = copy.hash();
    for (const sighting of bySeq[next]![1])
      if (sighting.hash !== hash) says.push(`${sighting.who} saw another state at ${copy.seq} than the log makes`);
    next++;
  };
  compare();
  for (const entry of rows.flatMap((row) => row.entries)) {
    try {
      copy.apply(entry);
    } catch (error) {
      return [...says, `the log can not be folded: ${(error as Error).message}`];
    }
    compare();
  }
  for (const [seq, early] of bySeq.slice(next))
    says.push(`${early[0]!.who} saw a state at ${seq}, and the log ends at ${copy.seq}`);
  for (const sighting of seen)
    if (sighting.final && sighting.seq !== copy.seq)
      says.push(`${sighting.who} ended at ${sighting.seq}, and the log ends at ${copy.seq}`);
  return says;
}

function sightingOf(operation: Operation): [DocumentId, Sighting][] {
  if (operation.kind === 'push' || operation.hash === undefined) return [];
  const { document, seq, hash, client, kind } = operation;
  return [[document, { seq, hash, who: client, final: kind === 'final' }]];
}
