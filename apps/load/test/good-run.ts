/** A run that kept every promise, for the tests of the checker: each breaks one thing in it and must be found out. */
import { expect } from 'vitest';
import { digest, type Op, type Seq } from '@homeport/protocol';
import { SeededRandom } from '@homeport/testkit';
import { check } from '../src/history/checker.js';
import { DocumentCopy } from '../src/history/document-copy.js';
import type { Evidence, FaultTime } from '../src/history/evidence.js';
import type { LogEntry, LogRow } from '../src/history/final-log.js';
import {
  digestOf,
  digestOfRun,
  type FinalOperation,
  type Operation,
  type PushOperation,
  type ReadOperation,
} from '../src/history/operation.js';
import type { Span } from '../src/history/span.js';

/** Evidence of a run, made so that one thing can be broken in it. */
export interface Run {
  history: Operation[];
  log: LogRow[];
  spans: Span[];
  faults: FaultTime[];
}

const DOCUMENT = 'board';
const SESSIONS = ['alice', 'bob', 'carol'];
/** Who only watches. */
export const SUBSCRIBER = { client: 'dora', user: 'dora', session: 'dora' };

/**
 * Sessions push in turns; every tenth push is refused, some answers are lost; each push is read back, and shown to a
 * subscriber. Two nodes have the slot in turns, one of them is killed in the middle.
 */
export function goodRun(pushes = 120): Run {
  const random = new SeededRandom(7);
  const history: Operation[] = [];
  const entries: LogEntry[] = [];
  const copy = new DocumentCopy();
  const opNos = new Map<string, number>();
  const accepted = new Map<string, number>();
  let now = 0;
  for (let i = 1; i <= pushes; i++) {
    const session = random.pick(SESSIONS);
    const opNo = (opNos.get(session) ?? 0) + 1;
    opNos.set(session, opNo);
    const ops: Op[] = [{ op: 'put', key: `shape:${random.int(20)}`, value: { x: i } }];
    const seen = { client: session, user: session, session, document: DOCUMENT, node: 'n', epoch: 1 };
    const push = { ...seen, kind: 'push', opNo, digest: digest(JSON.stringify(ops)), by: 'reply' } as const;
    const start = ++now;
    const end = ++now;
    if (i % 10 === 0) {
      history.push({ ...push, start, end, outcome: 'failed', code: 'conflict' });
      continue;
    }
    const seq = (entries.length + 1) as Seq;
    const entry = { seq, session, opNo, after: accepted.get(session) ?? 0, user: session, at: now, ops };
    accepted.set(session, opNo);
    entries.push(entry);
    copy.apply(entry);
    if (i % 7 === 0) history.push({ ...push, start, end, outcome: 'unknown' });
    else history.push({ ...push, start, end, outcome: 'ok', seq });
    history.push({ ...seen, kind: 'read', start: ++now, end: ++now, seq, hash: copy.hash()! });
    history.push({ ...seen, kind: 'copy', start: now, end: ++now, seq });
    const shown = { from: seq, digest: digestOfRun([digestOf(entry)]) };
    history.push({ ...seen, ...SUBSCRIBER, kind: 'copy', start: now, end: ++now, seq, shown });
  }
  for (const session of SESSIONS)
    history.push({
      ...{ client: session, user: session, session, document: DOCUMENT, node: 'n', epoch: 1 },
      ...{ kind: 'final', start: ++now, end: now, seq: copy.seq, hash: copy.hash()! },
    });
  const spans = [1, 2, 3, 4].flatMap((epoch): Span[] => {
    const node = epoch % 2 === 1 ? 'alpha' : 'beta';
    const piece = { node, slot: 7, epoch };
    const from = epoch * 100;
    return [
      { ...piece, from, until: from + 40 },
      { ...piece, from: from + 50, until: from + 90 },
    ];
  });
  const faults = [{ fault: 'kill', start: now / 2, end: now / 2 + 10, gapLimitMs: 1_000 }];
  return { history, log: inBatches(entries), spans, faults };
}

export function inBatches(entries: readonly LogEntry[]): LogRow[] {
  const rows: LogRow[] = [];
  for (let i = 0; i < entries.length; i += 3) {
    const batch = entries.slice(i, i + 3);
    const [seq, toSeq] = [batch[0]!.seq, batch.at(-1)!.seq];
    rows.push({ document: DOCUMENT, seq, toSeq, epoch: 1 + Math.floor(i / 30), entries: batch });
  }
  return rows;
}

export function entriesOf(run: Run): LogEntry[] {
  return run.log.flatMap((row) => row.entries);
}

/** The numbers of the rules that find something. */
export function rulesBroken(run: Evidence): number[] {
  const verdict = check(run);
  expect(verdict.ok).toBe(verdict.violations.length === 0);
  return [...new Set(verdict.violations.map((violation) => violation.rule))].sort((a, b) => a - b);
}

/** The first operation that fits, changed. */
export function change<O extends Operation>(run: Run, fits: (o: Operation) => o is O, make: (o: O) => Operation): void {
  const index = run.history.findIndex(fits);
  const found = run.history[index];
  if (found === undefined || !fits(found)) throw new Error('the good run has no such operation');
  run.history[index] = make(found);
}

export const acked = (o: Operation): o is PushOperation & { outcome: 'ok' } => o.kind === 'push' && o.outcome === 'ok';
export const refused = (o: Operation): o is PushOperation & { outcome: 'failed' } =>
  o.kind === 'push' && o.outcome === 'failed';
export const unknown = (o: Operation): o is PushOperation => o.kind === 'push' && o.outcome === 'unknown';
export const lateRead = (o: Operation): o is ReadOperation => o.kind === 'read' && o.seq > 20;
export const final = (o: Operation): o is FinalOperation => o.kind === 'final';
