/**
 * An entry in memory: its ops are text, written once when the push was judged. The digest, the log, frames, and the
 * tails of sessions that come back are all made of that text, and nothing keeps the objects it was made of: what a
 * document remembers of its last entries is a text and a few numbers each.
 */
import type { Entry, Op } from '@homeport/protocol';

/** What is read from the log. `after` is there so that the chain of a session's opNos can be checked. */
export interface LoggedEntry extends Entry {
  readonly after: number;
}

export interface PlacedEntry extends Omit<LoggedEntry, 'ops'> {
  readonly opsText: string;
}

export function placed({ seq, session, opNo, after, user, at, ops }: LoggedEntry): PlacedEntry {
  return { seq, session, opNo, after, user, at, opsText: JSON.stringify(ops) };
}

/** As the log has it: JSON of a `LoggedEntry`. A session id needs no escapes. */
export function logText({ seq, session, opNo, after, user, at, opsText }: PlacedEntry): string {
  const by = `"session":"${session}","opNo":${opNo},"after":${after},"user":${JSON.stringify(user)}`;
  return `{"seq":${seq},${by},"at":${at},"ops":${opsText}}`;
}

/** As frames have it: JSON of an `Entry`. */
export function frameText({ seq, session, opNo, user, at, opsText }: PlacedEntry): string {
  const by = `"session":"${session}","opNo":${opNo},"user":${JSON.stringify(user)}`;
  return `{"seq":${seq},${by},"at":${at},"ops":${opsText}}`;
}

export function shown({ seq, session, opNo, user, at, opsText }: PlacedEntry): Entry {
  return { seq, session, opNo, user, at, ops: JSON.parse(opsText) as Op[] };
}
