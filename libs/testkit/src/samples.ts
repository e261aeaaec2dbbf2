/** The smallest real things that most tests begin with. */
import {
  logText,
  sessionKey,
  type LoadedDocument,
  type LoggedEntry,
  type NodeInfo,
  type PlacedEntry,
  type Push,
} from '@homeport/core';
import type { Condition, Json, Op, Seq } from '@homeport/protocol';

export const NOTHING_WRITTEN: LoadedDocument = {
  head: 0 as Seq,
  checkpoint: 0 as Seq,
  forgottenTo: 0 as Seq,
  records: [],
  marks: [],
  tail: [],
};

export function put(key: string, value: Json, condition?: Condition): Op {
  return { op: 'put', key, value, ...(condition && { if: condition }) };
}

export function add(key: string, by: number, condition?: Condition): Op {
  return { op: 'increment', key, field: 'n', by, ...(condition && { if: condition }) };
}

/** The push `opNo` of a session; if nothing else is said, it names the one before it. */
export function pushOf(opNo: number, ops: readonly Op[], differing: Partial<Omit<Push, 'writer'>> = {}): Push {
  const after = Math.max(0, opNo - 1);
  const push = { user: 'ada', session: 's1', opNo, after, base: 0 as Seq, ops, ...differing };
  return { ...push, writer: sessionKey(push.user, push.session) };
}

/** Entries as they come back from the log. */
export function fromLog(entries: readonly PlacedEntry[]): LoggedEntry[] {
  return entries.map((entry) => JSON.parse(logText(entry)) as LoggedEntry);
}

export function nodeNamed(name: string, incarnation = 1): NodeInfo {
  const id = `${name}.${incarnation}`;
  return { id, name, url: `http://${name}`, host: name, port: 1, machineId: name, leaseTtlMs: 3_000 };
}

/** What a promise has come to so far: `undefined` while it is pending. */
export function watch<T>(promise: Promise<T>): { readonly answer: T | undefined } {
  const watched: { answer: T | undefined } = { answer: undefined };
  void promise.then((answer) => (watched.answer = answer));
  return watched;
}
