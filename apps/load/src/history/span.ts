/**
 * A node's word that it may serve a slot: it said so at `from`, at `until`, and perhaps in between, always in this epoch.
 *
 * Times are those of a history: the machine's one monotonic clock, the same for all processes on it. `node` names a
 * process. A node that lives long says the same span in pieces, one line of JSON each.
 */
import { readFile } from 'node:fs/promises';

export interface Span {
  readonly node: string;
  readonly slot: number;
  readonly epoch: number;
  readonly from: number;
  readonly until: number;
}

/** A process that was killed may have left half a line at the end of its file. */
export async function readSpans(path: string): Promise<Span[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Span);
}
