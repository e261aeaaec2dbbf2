import { expect, it } from 'vitest';
import { goodRun } from '../../test/good-run.js';
import { check } from '../history/checker.js';
import type { ChaosResult } from './chaos-run.js';
import { report, rowsOf, spreadOf } from './report.js';

/** The good run as if its one fault had been made by a script. */
function result(): ChaosResult {
  const evidence = goodRun();
  const read = evidence.history.findLast((operation) => operation.kind === 'read')!;
  evidence.history.push({ ...read, seq: 1 as typeof read.seq, client: 'eve', session: 'eve', user: 'eve' });
  const verdict = check(evidence);
  const [time] = evidence.faults;
  const rounds = [{ ...time!, did: 'killed node-1', ownedAfterMs: 40, flowingMs: time!.end + 5 }];
  const counts = { failures: [], shed: 0, httpReads: { answered: 1, unanswered: 0 } };
  return { ok: verdict.ok, seed: 7, nodes: 3, folder: '/tmp/run', rounds, verdict, evidence, ...counts };
}

it('counts what went wrong at the fault in whose time it was seen', () => {
  const [kill, calm] = rowsOf(result());
  expect(kill).toMatchObject({ fault: 'kill', times: 1, staleReads: 1, ownedMs: { p50: 40, p99: 40, max: 40 } });
  expect(kill!.violations).toBeGreaterThanOrEqual(1);
  expect(calm).toMatchObject({ fault: '(calm)', staleReads: 0 });
  const text = report(result());
  expect(text).toMatch(/^kill +1 /m);
  expect(text).toContain('eve read 1 from n');
  expect(text).toContain('FAILED: 1 faults, seed 7\nevidence: /tmp/run');
});

it('takes the middle, the last hundredth and the end of what was measured', () => {
  expect(spreadOf([])).toBeUndefined();
  expect(spreadOf([5])).toEqual({ p50: 5, p99: 5, max: 5 });
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  expect(spreadOf(values)).toEqual({ p50: 100, p99: 198, max: 200 });
});
