/** What a rule judges, and what it says. */
import type { DocumentId } from '@homeport/protocol';
import type { LogEntry, LogRow } from './final-log.js';
import type { Operation } from './operation.js';
import type { Span } from './span.js';

export interface Evidence {
  readonly history: readonly Operation[];
  /** In order of document and seq. */
  readonly log: readonly LogRow[];
  /** What the nodes said of their slots; empty where they were not asked to. */
  readonly spans: readonly Span[];
  /** When something was broken on purpose. */
  readonly faults: readonly FaultTime[];
}

/** From the moment that something was broken to the moment that it was whole again, on the clock of the history. */
export interface FaultTime {
  readonly fault: string;
  readonly start: number;
  readonly end: number;
  /** A generous limit for the time without an acknowledgement: what is beyond it is not slow, it is stuck. */
  readonly gapLimitMs: number;
}

export interface Violation {
  /** As numbered in the design; 0: there was nothing to check. */
  readonly rule: number;
  readonly document: DocumentId;
  readonly says: string;
  /** When it was seen, where that is known, on the clock of the history. */
  readonly at?: number;
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
