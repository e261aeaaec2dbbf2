/**
 * Says whether a run kept its promises: what the clients recorded against what the log holds in the end.
 *
 * Every write has an explicit place in its document, so nothing has to be searched: each rule is a sort and one or two
 * passes. A rule is a function of the evidence, in a file of its own that says it; here is the list, by number.
 */
import { entriesOf, pushKey, type Evidence, type Violation } from './evidence.js';
import { checkAvailability } from './rules/availability.js';
import { checkEvents } from './rules/events.js';
import { checkLinearizable } from './rules/linearizable.js';
import { checkLogOrder } from './rules/log-order.js';
import { checkOutcomes } from './rules/outcomes.js';
import { checkOwnership } from './rules/ownership.js';
import { checkRealTime } from './rules/real-time.js';
import { checkSessions } from './rules/sessions.js';
import { checkState } from './rules/state.js';

export interface Verdict {
  readonly ok: boolean;
  readonly violations: readonly Violation[];
  readonly counts: {
    readonly operations: number;
    readonly pushesOk: number;
    /** Refused, in the end: some were refused and then accepted when they came again. */
    readonly pushesRefused: number;
    /** Pushes with an attempt whose answer never came, and how many of them the log holds. */
    readonly pushesUnknown: number;
    readonly unknownInLog: number;
    readonly statesCompared: number;
    readonly entries: number;
    readonly documents: number;
  };
}

const RULES: readonly ((evidence: Evidence) => Violation[])[] = [
  checkOutcomes,
  checkLogOrder,
  checkRealTime,
  checkLinearizable,
  checkSessions,
  checkState,
  checkEvents,
  checkOwnership,
  checkAvailability,
];

/** The rule of a run that shows nothing: no promise is broken, but none was seen to be kept. */
export const NOTHING_CHECKED = 0;

export function check(evidence: Evidence): Verdict {
  const violations = RULES.flatMap((rule) => rule(evidence));
  const counts = count(evidence);
  if (counts.pushesOk === 0 || counts.entries === 0 || counts.statesCompared === 0)
    violations.push({
      rule: NOTHING_CHECKED,
      document: '',
      says: 'nothing was checked: no push was acknowledged or no state was seen',
    });
  return { ok: violations.length === 0, violations, counts };
}

/** The verdict for people: a line per count, then the violations, at most `shown` of each rule. */
export function describe({ ok, violations, counts }: Verdict, shown = 10): string {
  const lines = [
    `${counts.operations} operations, ${counts.entries} entries in ${counts.documents} documents`,
    `pushes: ${counts.pushesOk} acknowledged, ${counts.pushesRefused} refused, ` +
      `${counts.pushesUnknown} once unknown (${counts.unknownInLog} of them in the log)`,
    `states compared: ${counts.statesCompared}`,
    ok ? 'no violation' : `${violations.length} VIOLATIONS`,
  ];
  for (const rule of new Set(violations.map((violation) => violation.rule))) {
    const broken = violations.filter((violation) => violation.rule === rule);
    lines.push(`rule ${rule}: ${broken.length}`);
    for (const { document, says } of broken.slice(0, shown)) lines.push(`  ${document}: ${says}`);
    if (broken.length > shown) lines.push(`  … and ${broken.length - shown} more`);
  }
  return lines.join('\n');
}

function count({ history, log }: Evidence): Verdict['counts'] {
  const ok = new Set<string>();
  const failed = new Set<string>();
  const unknown = new Set<string>();
  let statesCompared = 0;
  for (const operation of history) {
    if (operation.kind !== 'push') {
      if (operation.hash !== undefined) statesCompared++;
      continue;
    }
    const key = pushKey(operation.document, operation.user, operation.session, operation.opNo);
    const outcomes = { ok, failed, unknown };
    outcomes[operation.outcome].add(key);
  }
  const entries = entriesOf(log);
  const inLog = new Set(entries.map(({ document, entry }) => pushKey(document, entry.user, entry.session, entry.opNo)));
  return {
    operations: history.length,
    pushesOk: ok.size,
    pushesRefused: [...failed].filter((key) => !ok.has(key)).length,
    pushesUnknown: unknown.size,
    unknownInLog: [...unknown].filter((key) => inLog.has(key)).length,
    statesCompared,
    entries: entries.length,
    documents: new Set(log.map((row) => row.document)).size,
  };
}
