/** What a rule judges, and what it says. */
import type { DocumentId } from '@homeport/protocol';
import type { LogEntry, LogRow } from './final-log.js';
import type { Operation } from './operation.js';

export interface Evidence {
  readonly history: readonly Operation[];
  /** In order of document and seq. */
  readonly log: readonly LogRow[];
}

export interface Violation {
  /** As numbered in the design; 0: there was nothing to check. */
  readonly rule: number;
  readonly document: DocumentId;
  readonly says: string;
}

/** Names one push of one session. The parts hold no space. */
export function pushKey(document: DocumentId, user: string, session: string, opNo: number): string {
  return `${sessionKey(document, user, session)} ${opNo}`;
}

export function sessionKey(document: DocumentId, user: string, session: string): string {
  return `${document} ${session} ${user}`;
}

export function entriesOf(log: readonly LogRow[]): { readonly document: DocumentId; readonly entry: LogEntry }[] {
  return log.flatMap(({ document, entries }) => entries.map((entry) => ({ document, entry })));
}

/** The items under each key, in their order. (`Map.groupBy` needs a younger Node than the oldest that must work.) */
export function groupBy<Item, Key>(items: Iterable<Item>, keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
