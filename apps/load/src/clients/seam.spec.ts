import { describe, expect, it } from 'vitest';
import type { EntriesFrame, Entry, Seq } from '@homeport/protocol';
import { Seam } from './seam.js';

function entry(seq: number): Entry {
  const ops = [{ op: 'put', key: `k${seq}`, value: seq }] as const;
  return { seq: seq as Seq, session: 's', opNo: seq, user: 'u', at: 0, ops };
}

function frame(from: number, to: number): EntriesFrame {
  const entries = Array.from({ length: to - from + 1 }, (_, i) => entry(from + i));
  return { document: 'd', from: from as Seq, to: to as Seq, entries };
}

describe('D1: the seam of catching up and live', () => {
  it('applies frames that follow or overlap, drops old ones, and never passes a hole', () => {
    const seam = new Seam();
    seam.hold(frame(1, 3));
    expect(seam.join()).toBe('current');
    seam.hold(frame(2, 5));
    seam.hold(frame(1, 2));
    expect(seam.join()).toBe('current');
    expect(seam.copy.seq).toBe(5);
    seam.hold(frame(8, 9));
    expect(seam.join()).toBe('hole');
    expect(seam.copy.seq).toBe(5);
    seam.take([entry(6), entry(7)]);
    expect(seam.join()).toBe('current');
    expect(seam.copy.seq).toBe(9);
  });

  it('D2: a beacon beyond the copy is a hole', () => {
    const seam = new Seam();
    seam.hold(frame(1, 1));
    seam.tellHead(2);
    expect(seam.join()).toBe('hole');
    seam.drop();
    expect(seam.join()).toBe('current');
  });

  it('a snapshot whose later pages are younger shows no state until the copy has passed them', () => {
    const seam = new Seam();
    seam.copy.install({ a: { value: 1, seq: 2 as Seq }, k4: { value: 4, seq: 4 as Seq } });
    seam.copy.standAt(3 as Seq);
    expect(seam.copy.hash()).toBeUndefined();
    seam.take([entry(4)]);
    expect(seam.copy.get('k4')).toMatchObject({ value: 4, seq: 4 });
    expect(seam.copy.hash()).toBeDefined();
  });

  it('does not believe a frame that holds other entries than it says', () => {
    const seam = new Seam();
    expect(() => seam.hold({ ...frame(1, 2), to: 3 as Seq })).toThrow('holds other entries');
    expect(() => seam.take([entry(2)])).toThrow('does not follow');
  });
});
