import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Op, Seq } from '@homeport/protocol';
import { check } from './checker.js';
import {
  acked,
  change,
  entriesOf,
  final,
  goodRun,
  inBatches,
  lateRead,
  refused,
  rulesBroken,
  unknown,
} from '../../test/good-run.js';
import type { CopyOperation, ReadOperation } from './operation.js';
import { Recorder, readHistory } from './recorder.js';

describe('the history checker', () => {
  it('finds nothing in a run that kept every promise', () => {
    const verdict = check(goodRun());
    expect(verdict.violations).toEqual([]);
    expect(verdict.counts.pushesOk).toBeGreaterThan(50);
    expect(verdict.counts.pushesRefused).toBe(12);
    expect(verdict.counts.pushesUnknown).toBeGreaterThan(5);
    expect(verdict.counts.unknownInLog).toBe(verdict.counts.pushesUnknown);
  });

  it('does not call an empty run good', () => {
    expect(rulesBroken({ history: [], log: [], spans: [], faults: [] })).toEqual([0]);
  });

  describe('W1, rule 1: acknowledged is in the log', () => {
    it('an acknowledged push that is lost', () => {
      const run = goodRun();
      const last = entriesOf(run).findLast((e) => run.history.some((o) => acked(o) && o.seq === e.seq))!;
      run.log = inBatches(entriesOf(run).filter((e) => e.seq < last.seq));
      expect(rulesBroken(run)).toContain(1);
    });

    it('an acknowledged push at another seq', () => {
      const run = goodRun();
      change(run, acked, (o) => ({ ...o, seq: (o.seq + 1) as Seq }));
      expect(rulesBroken(run)).toContain(1);
    });

    it('a refused push that is in the log', () => {
      const run = goodRun();
      change(run, acked, (o) => {
        const { seq: _, ...rest } = o;
        return { ...rest, outcome: 'failed', code: 'conflict' };
      });
      expect(rulesBroken(run)).toEqual([1]);
    });

    it('W5: a push that is in the log twice', () => {
      const run = goodRun();
      const entries = entriesOf(run);
      run.log = inBatches([...entries, { ...entries[5]!, seq: (entries.length + 1) as Seq }]);
      expect(rulesBroken(run)).toContain(1);
    });

    it('a push with another content', () => {
      const run = goodRun();
      change(run, acked, (o) => ({ ...o, digest: 'other' }));
      expect(rulesBroken(run)).toEqual([1]);
    });

    it('an entry that its session never sent', () => {
      const run = goodRun();
      run.history = run.history.filter((o) => o.kind !== 'push' || o.opNo !== 3 || o.session !== 'bob');
      expect(rulesBroken(run)).toEqual([1]);
    });

    it('a push whose outcome is unknown may be in the log, or not', () => {
      const run = goodRun();
      change(run, refused, (o) => {
        const { code: _, ...rest } = o;
        return { ...rest, outcome: 'unknown' };
      });
      expect(run.history.some(unknown)).toBe(true);
      expect(rulesBroken(run)).toEqual([]);
    });

    it('a refusal that judged nothing does not speak of the push', () => {
      const run = goodRun();
      const push = run.history.find(acked)!;
      const { seq: _, ...rest } = push;
      run.history.unshift({ ...rest, outcome: 'failed', code: 'gap' });
      expect(rulesBroken(run)).toEqual([]);
    });
  });

  describe('rule 2: the order of the log', () => {
    it('W2: a gap in the seqs', () => {
      const run = goodRun();
      run.log.splice(4, 1);
      expect(rulesBroken(run)).toContain(2);
    });

    it('W3: an epoch that falls', () => {
      const run = goodRun();
      run.log[run.log.length - 1] = { ...run.log.at(-1)!, epoch: 1 };
      expect(rulesBroken(run)).toEqual([2]);
    });

    it('W4: an opNo that does not rise, an `after` that names another push', () => {
      const run = goodRun();
      const row = run.log[5]!;
      run.log[5] = { ...row, entries: row.entries.map((e, i) => (i === 0 ? { ...e, after: e.after + 1 } : e)) };
      expect(rulesBroken(run)).toEqual([2]);
    });

    it('a batch that does not hold what its row says', () => {
      const run = goodRun();
      run.log[2] = { ...run.log[2]!, toSeq: (run.log[2]!.toSeq + 1) as Seq };
      expect(rulesBroken(run)).toEqual([2]);
    });
  });

  describe('rule 5: sessions', () => {
    const without = (read: ReadOperation, seq: number): ReadOperation => {
      const { hash: _, ...rest } = read;
      return { ...rest, seq: seq as Seq };
    };

    it('R3: a read below one’s own acknowledged write', () => {
      const run = goodRun();
      run.history = run.history.filter((o) => o.kind === 'push' || lateRead(o) || final(o));
      change(run, lateRead, (o) => without(o, o.seq - 1));
      expect(rulesBroken(run)).toEqual([4, 5]);
    });

    it('R2: a read that goes back behind an earlier one', () => {
      const run = goodRun();
      const push = run.history.find(acked)!;
      run.history = [push, ...run.history.filter((o) => lateRead(o) || final(o))];
      const later = run.history.findLast(lateRead)!;
      run.history[run.history.indexOf(later)] = without(later, 20);
      expect(rulesBroken(run).filter((rule) => rule !== 1)).toEqual([4, 5]);
    });

    it('R2: a copy that goes back', () => {
      const run = goodRun();
      const copy = run.history.findLast((o): o is CopyOperation => o.kind === 'copy' && o.shown === undefined)!;
      run.history[run.history.indexOf(copy)] = { ...copy, seq: 1 as Seq };
      expect(rulesBroken(run)).toEqual([5]);
    });

    it('a read that began before the write was acknowledged may be older', () => {
      const run = goodRun();
      const read = run.history.find(lateRead)!;
      run.history.push({ ...without(read, 0), start: 0, end: read.end });
      expect(rulesBroken(run)).toEqual([]);
    });
  });

  describe('rule 6: the state', () => {
    it('R4: a state that is not the fold of the log', () => {
      const run = goodRun();
      change(run, lateRead, (o) => ({ ...o, hash: 'other' }));
      expect(rulesBroken(run)).toEqual([6]);
    });

    it('R5: a state beyond the end of the log', () => {
      const run = goodRun();
      const read = run.history.findLast(lateRead)!;
      run.history.push({ ...read, client: 'dave', session: 'dave', user: 'dave', seq: (read.seq + 1) as Seq });
      expect(rulesBroken(run)).toEqual([6]);
    });

    it('D3: a client that does not end where the log ends', () => {
      const run = goodRun();
      const earlier = run.history.findLast(lateRead)!;
      const early = run.history.filter(lateRead).find((o) => o.seq < earlier.seq)!;
      run.history.push({ ...early, kind: 'final', client: 'dave', session: 'dave', user: 'dave', hash: early.hash! });
      expect(rulesBroken(run)).toEqual([6]);
    });

    it('a log whose ops do not fit its records', () => {
      const run = goodRun();
      const row = run.log.at(-1)!;
      const key = (entriesOf(run)[0]!.ops[0] as { key: string }).key;
      const ops: Op[] = [
        { op: 'put', key, value: 1 },
        { op: 'increment', key, field: 'n', by: 1 },
      ];
      run.log[run.log.length - 1] = { ...row, entries: row.entries.map((e) => ({ ...e, ops })) };
      expect(rulesBroken(run)).toContain(6);
    });
  });

  it('reads back the history that the recorder wrote', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'homeport-history-'));
    try {
      const { history } = goodRun(500);
      const recorder = new Recorder(join(folder, 'history.jsonl'));
      for (const operation of history) recorder.record(operation);
      await recorder.close();
      expect(await readHistory(recorder.path)).toEqual(history);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
