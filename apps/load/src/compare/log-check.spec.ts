import type { Epoch, Op, Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import type { LogEntry, LogRow } from '../history/final-log.js';
import { addText, NO_TEXT } from '../measuring/text-sum.js';
import { checkDocument, type Receipts } from './log-check.js';

const OPS: readonly Op[] = [{ op: 'patch', key: 'a', set: { x: 1.5 }, unset: [] }];
const OTHER_OPS: readonly Op[] = [{ op: 'patch', key: 'a', set: { x: 2 }, unset: [] }];

function entry(seq: number, session: string, opNo: number, ops = OPS): LogEntry {
  return { seq: seq as Seq, session, opNo, after: opNo - 1, user: 'guest', at: 0, ops };
}

function logOf(...entries: readonly LogEntry[]): LogRow[] {
  const rows = entries.map((each) => [each]);
  return rows.map((row) => ({
    document: 'board',
    seq: row[0]!.seq,
    toSeq: row[0]!.seq,
    epoch: 1 as Epoch,
    entries: row,
  }));
}

function receipts(session: string, acked: readonly number[], more: Partial<Receipts> = {}): Receipts {
  const opsSum = acked.reduce((sum) => addText(sum, JSON.stringify(OPS)), NO_TEXT);
  return { document: 'board', session, acked, unanswered: 0, opsSum, ...more };
}

const LOG = logOf(entry(1, 'alice', 1), entry(2, 'bob', 1), entry(3, 'alice', 2));
const ALICE = receipts('alice', [1, 3]);
const BOB = receipts('bob', [2]);

function said(log: readonly LogRow[], ...all: readonly Receipts[]): readonly string[] {
  return checkDocument('board', log, all).map(({ says }) => says);
}

describe('the log and what was acknowledged', () => {
  it('agree when every push stands where its ack said', () => {
    expect(said(LOG, ALICE, BOB)).toEqual([]);
  });

  it('W1: a push that was acknowledged and is not there is lost', () => {
    expect(said(LOG.slice(0, 2), ALICE, BOB)).toEqual([
      'push 2 of alice, acknowledged at 3, is lost',
      'the pushes of alice do not hold what was sent',
    ]);
  });

  it('a push that stands elsewhere than its ack said is found', () => {
    expect(said(LOG, receipts('alice', [1, 4]), BOB)).toEqual([
      'push 2 of alice was acknowledged at 4 and stands at 3',
    ]);
  });

  it('a push with other content than was sent is found', () => {
    const log = logOf(entry(1, 'alice', 1), entry(2, 'bob', 1, OTHER_OPS), entry(3, 'alice', 2));
    expect(said(log, ALICE, BOB)).toEqual(['the pushes of bob do not hold what was sent']);
  });

  it('a push that stands there twice, or was never sent, is found', () => {
    const twice = logOf(entry(1, 'alice', 1), entry(2, 'bob', 1), entry(3, 'alice', 2), entry(4, 'alice', 2));
    expect(said(twice, ALICE, BOB)).toContain('pushes of session alice stand in the log twice');
    expect(said(LOG, ALICE)).toEqual(['session bob stands in the log and never wrote']);
  });

  it('a gap in the seqs is found', () => {
    const log = logOf(entry(1, 'alice', 1), entry(3, 'alice', 2));
    expect(said(log, ALICE)).toEqual(['seq 3 follows 1']);
  });

  it('a push without an answer may be there or not', () => {
    const unanswered = receipts('alice', [1], { unanswered: 1 });
    expect(said(LOG, unanswered, BOB)).toEqual([]);
    expect(said(LOG.slice(0, 2), unanswered, BOB)).toEqual([]);
  });
});
