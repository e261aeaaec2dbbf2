/**
 * Rule 9: how long writers waited from one acknowledgement to the next, in the time of each fault and outside of them.
 *
 * It is measured for people. Only what is far beyond any target counts as a violation: `gapLimitMs` of the fault, or of
 * a calm time.
 */
import { groupBy, sessionKey, type Evidence, type FaultTime, type Violation } from '../evidence.js';

const CALM_GAP_LIMIT_MS = 10_000;
/** Who pushes seldom has long gaps and waits for nothing: so many of what is usual in the run are granted besides. */
const USUAL_GRANTED = 3;

/** The longest gap of one writer in one document during one fault, or in all the calm time. */
export interface Gap {
  readonly document: string;
  readonly session: string;
  readonly ms: number;
  /** Undefined: no fault was under way. */
  readonly during: FaultTime | undefined;
}

export function checkAvailability(evidence: Evidence): Violation[] {
  const grantedMs = USUAL_GRANTED * usualGapMs(evidence);
  return gapsOf(evidence)
    .filter(({ ms, during }) => ms > (during?.gapLimitMs ?? CALM_GAP_LIMIT_MS) + grantedMs)
    .map(({ document, session, ms, during }) => ({
      rule: 9,
      ...(during && { at: during.start }),
      document,
      says: `${session} had no acknowledgement for ${Math.round(ms)} ms (${during?.fault ?? 'no fault'})`,
    }));
}

/** Faults do not overlap, so a gap belongs to the first that it touches and the next ones as far as it reaches. */
export function gapsOf({ history, faults }: Pick<Evidence, 'history' | 'faults'>): Gap[] {
  const times = [...faults].sort((a, b) => a.start - b.start);
  const gaps: Gap[] = [];
  for (const { document, session, ends } of ackTimesOf(history)) {
    const longest = new Map<FaultTime | undefined, number>();
    const keep = (during: FaultTime | undefined, ms: number): void =>
      void longest.set(during, Math.max(ms, longest.get(during) ?? 0));
    let first = 0;
    for (let i = 1; i < ends.length; i++) {
      const [from, to] = [ends[i - 1]!, ends[i]!];
      while (first < times.length && times[first]!.end < from) first++;
      if (times[first] === undefined || times[first]!.start > to) keep(undefined, to - from);
      for (let next = first; next < times.length && times[next]!.start <= to; next++) keep(times[next], to - from);
    }
    for (const [during, ms] of longest) gaps.push({ document, session, ms, during });
  }
  return gaps;
}

/** The median of all gaps of all writers: the few that are stuck do not change it. */
function usualGapMs({ history }: Pick<Evidence, 'history'>): number {
  const all = ackTimesOf(history).flatMap(({ ends }) => ends.slice(1).map((end, i) => end - ends[i]!));
  return all.sort((a, b) => a - b)[(all.length - 1) >> 1] ?? 0;
}

/** Of each writer in each document, in order. */
function ackTimesOf(history: Evidence['history']) {
  const acks = history.filter((operation) => operation.kind === 'push' && operation.outcome === 'ok');
  const writers = groupBy(acks, ({ document, user, session }) => sessionKey(document, user, session));
  return [...writers.values()].map((ofOne) => {
    const { document, session } = ofOne[0]!;
    return { document, session, ends: ofOne.map(({ end }) => end).sort((a, b) => a - b) };
  });
}
