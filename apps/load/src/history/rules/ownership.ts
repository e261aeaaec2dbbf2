/**
 * Rule 8: the spans in which nodes said that they may serve a slot do not overlap, each later span has a higher epoch,
 * and no epoch of a slot has two owners.
 */
import { groupBy, type Evidence, type Violation } from '../evidence.js';
import type { Span } from '../span.js';

export function checkOwnership({ spans }: Evidence): Violation[] {
  const violations: Violation[] = [];
  for (const [slot, words] of groupBy(spans, (span) => span.slot)) {
    const tenures = [...groupBy(words, ({ node, epoch }) => `${epoch} ${node}`).values()].map(whole);
    let latest: Span | undefined;
    for (const tenure of tenures.sort((a, b) => a.from - b.from)) {
      const says = latest && judge(latest, tenure);
      if (says !== undefined)
        violations.push({ rule: 8, document: '', at: tenure.from, says: `slot ${slot}: ${says}` });
      if (latest === undefined || tenure.until > latest.until) latest = tenure;
    }
  }
  return violations;
}

function judge(earlier: Span, later: Span): string | undefined {
  const [a, b] = [`${earlier.node} in epoch ${earlier.epoch}`, `${later.node} in epoch ${later.epoch}`];
  // One node raises its own epochs when a flush got no answer.
  if (earlier.node !== later.node && later.from <= earlier.until)
    return `${b} served ${(earlier.until - later.from).toFixed(1)} ms before ${a} had ended`;
  if (later.epoch < earlier.epoch || (later.epoch === earlier.epoch && later.node !== earlier.node))
    return `${b} served after ${a}`;
  return undefined;
}

/** What a node said piece by piece. In between, the epoch was the same, so nobody else can have had the slot rightly. */
function whole(words: readonly Span[]): Span {
  let { from, until } = words[0]!;
  for (const word of words) {
    from = Math.min(from, word.from);
    until = Math.max(until, word.until);
  }
  return { ...words[0]!, from, until };
}
