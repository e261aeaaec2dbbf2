/**
 * Rule 9: how long writers waited from one acknowledgement to the next, in the time of each fault and outside of them.
 *
 * It is measured for people. Only what is far beyond any target counts as a violation: `gapLimitMs` of the fault, or of
 * a calm time.
 */
import { groupBy, sessionKey, type Evidence, type FaultTime, type Violation } from '../evidence.js';

const CALM_GAP_LIMIT_MS = 10_000;
/** Who pushes seldom has long gaps and waits for nothing: so many of its usual ones are granted besides. */
const USUAL_GRANTED = 10;

/** The longest gap of one writer in one document during one fault, or in all the calm time. */
export interface Gap {
  readonly document: string;
  readonly session: string;
  readonly ms: number;
  /** The median of the gaps of this writer in this document. */
  readonly usualMs: number;
  /** Undefined: no fault was under way. */
  readonly during: FaultTime | undefined;
}

export function checkAvailability(evidence: Evidence): Violation[] {
  return gapsOf(evidence)
    .filter(({ ms, usualMs, during }) => ms > (during?.gapLimitMs ?? CALM_GAP_LIMIT_MS) + USUAL_GRANTED * usualMs)
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
  const acks = history.filter((operation) => operation.kind === 'push' && operation.outcome === 'ok');
  const gaps: Gap[] = [];
  for (const ofOne of groupBy(acks, ({ document, user, session }) => sessionKey(document, user, session)).values()) {
    const { document, session } = ofOne[0]!;
    const ends = ofOne.map(({ end }) => end).sort((a, b) => a - b);
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
    const usual = ends
      .slice(1)
      .map((end, i) => end - ends[i]!)
      .sort((a, b) => a - b);
    const usualMs = usual[usual.length >> 1] ?? 0;
    for (const [during, ms] of longest) gaps.push({ document, session, ms, usualMs, during });
  }
  return gaps;
}
