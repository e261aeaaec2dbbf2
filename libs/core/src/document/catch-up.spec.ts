/** The seam between what a session is given when it opens and what it is sent from then on. */
import { FakeClock, NOTHING_WRITTEN, RecordingChannel, RecordingFanOut, pushOf, put } from '@homeport/testkit';
import { LIMITS, type Entry, type Epoch, type Op, type Page, type RecordState, type Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { RecentEntries, tailPages, upTo, type Pages } from './catch-up.js';
import { Document } from './document.js';
import { placed } from './entry.js';
import { Frames } from './fan-out.js';

describe('Catching up', () => {
  it('D1: gives the tail from a position that memory still reaches, the records otherwise', () => {
    const { document, write } = openDocument();
    for (let n = 1; n <= 5; n++) write([put('a', n)]);
    expect(firstPage(document, { timeline: 't', seq: 3 as Seq })).toMatchObject({ tail: [{ seq: 4 }, { seq: 5 }] });
    expect(firstPage(document, { timeline: 't', seq: 5 as Seq })).toEqual({ tail: [] });
    expect(firstPage(document, undefined)).toEqual({ snapshot: { records: { a: { value: 5, seq: 5 } } } });
    expect(firstPage(document, { timeline: 'other', seq: 3 as Seq })).toHaveProperty('snapshot');
    expect(firstPage(document, { timeline: 't', seq: 6 as Seq })).toHaveProperty('snapshot');
  });

  it('D1: a frame that is held when somebody opens goes to those before him, and not to him', async () => {
    const { document, write, join, clock } = openDocument();
    const early = join();
    write([put('a', 1)]);
    write([put('a', 2)]);
    expect(early.of('entries')).toMatchObject([{ from: 1, to: 1 }]);
    const pages = document.pages(undefined);
    const late = join();
    expect(document.nextPage(pages)).toEqual({ snapshot: { records: { a: { value: 2, seq: 2 } } } });
    write([put('a', 3)]);
    await clock.advance(100);
    expect(early.of('entries').map(({ from, to }) => [from, to])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(late.of('entries').map(({ from, to }) => [from, to])).toEqual([[3, 3]]);
  });

  it('D3: pages taken while others write add up to the head, for every way in which keys change meanwhile', () => {
    const { document, write, join } = openDocument();
    const wide = 'x'.repeat(40_000);
    for (const key of 'abcdefghijklm') write([put(key, wide)]);
    const pages = document.pages(undefined);
    const reader = join();
    const copy = new Map<string, RecordState>();
    let page = document.nextPage(pages);
    expect(page).toHaveProperty('next', 1);
    const meanwhile: Op[][] = [
      [put('a', 'behind')],
      [put('l', 'ahead')],
      [{ op: 'delete', key: 'b' }],
      [{ op: 'delete', key: 'k' }],
      [{ op: 'delete', key: 'm' }, put('m', 'again')],
      [put('z', 'new')],
    ];
    const seen: number[] = [];
    for (;;) {
      for (const frame of reader.of('entries').slice(seen.length)) {
        seen.push(frame.from);
        for (const entry of frame.entries) applyPuts(copy, entry);
      }
      for (const [key, record] of Object.entries(page?.snapshot?.records ?? {}))
        if ((copy.get(key)?.seq ?? 0) < record.seq) copy.set(key, record);
      if (page?.next === undefined) break;
      for (const ops of meanwhile.splice(0, 2)) write(ops);
      page = document.nextPage(pages);
    }
    expect(meanwhile).toEqual([]);
    expect(Object.fromEntries(copy)).toEqual(document.read({}));
  });

  it('a page is bounded, and holds at least one record or entry', () => {
    const { document, write } = openDocument();
    const wide = 'x'.repeat(LIMITS.pageBytes - 100);
    for (const key of ['a', 'b', 'c']) write([put(key, wide)]);
    for (const since of [undefined, { timeline: 't', seq: 0 as Seq }]) {
      const pages = allPages(document, document.pages(since));
      expect(pages.map(({ next }) => next)).toEqual([1, 2, undefined]);
    }
    const tail = [...tailPages([entry(1, wide), entry(2, 'x'), entry(3, wide)])];
    expect(tail.map(({ tail: entries, next }) => [entries?.map(({ seq }) => seq), next])).toEqual([
      [[1], 1],
      [[2], 2],
      [[3], undefined],
    ]);
    expect(upTo([entry(1, wide)], 1)).toHaveLength(1);
  });

  it('an empty document is one empty page', () => {
    const { document } = openDocument();
    expect(allPages(document, document.pages(undefined))).toEqual([{ snapshot: { records: {} } }]);
  });
});

describe('RecentEntries', () => {
  it('keeps a bounded number of entries and bytes, and says where it does not reach', () => {
    const recent = new RecentEntries();
    for (let seq = 1; seq <= 5_000; seq++) recent.add(placed({ ...entry(seq, 'x'), after: seq - 1 }));
    const head = 5_000 as Seq;
    expect(recent.from(4_001 as Seq, head)?.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 1_000 }, (_, index) => 4_001 + index),
    );
    expect(recent.from(4_000 as Seq, head)).toBeUndefined();
    expect(recent.from(5_001 as Seq, head)).toEqual([]);
    recent.add(placed({ ...entry(5_001, 'x'.repeat(2 * 1024 * 1024)), after: 5_000 }));
    expect(recent.from(5_001 as Seq, 5_001 as Seq)).toBeUndefined();
  });
});

function openDocument() {
  const clock = new FakeClock();
  const fanOut = new RecordingFanOut();
  const document = new Document('board', NOTHING_WRITTEN, 't', clock, new Frames('board', fanOut, clock, 16));
  let opNo = 0;
  const write = (ops: readonly Op[]): void => {
    void document.push(pushOf(++opNo, ops));
    document.takeBatch(1 as Epoch, 10, 10_000_000);
    document.commit();
  };
  const join = (): RecordingChannel => {
    document.readers++;
    const channel = new RecordingChannel(fanOut);
    channel.join('board');
    return channel;
  };
  return { clock, document, write, join };
}

function firstPage(document: Document, since: Parameters<Document['pages']>[0]): Page | undefined {
  return document.nextPage(document.pages(since));
}

function allPages(document: Document, pages: Pages): Page[] {
  const all: Page[] = [];
  for (let page = document.nextPage(pages); page !== undefined; page = document.nextPage(pages)) all.push(page);
  return all;
}

function entry(seq: number, value: string): Entry {
  return { seq: seq as Seq, session: 's', opNo: seq, user: 'ada', at: 0, ops: [put('a', value)] };
}

function applyPuts(copy: Map<string, RecordState>, { seq, ops }: Entry): void {
  for (const op of ops) {
    if (op.op === 'put') copy.set(op.key, { value: op.value, seq });
    if (op.op === 'delete') copy.delete(op.key);
  }
}
