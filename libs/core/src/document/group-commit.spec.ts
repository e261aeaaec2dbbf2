import { FakeClock } from '@homeport/testkit';
import type { Epoch, Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import type { Batch } from './document-log.js';
import type { PlacedEntry } from './entry.js';
import { FLUSH_ENTRIES_MAX, GroupCommit, entriesOf, type Storer, type Taken } from './group-commit.js';
import type { Slot } from './slot.js';

describe('GroupCommit', () => {
  it('flushes at once where the lane is idle, and what piled up meanwhile as the next', async () => {
    const { storer, commit } = lanes(1);
    const a = storer.source('a', 1);
    const b = storer.source('b', 1);
    commit.submit(a, 0);
    expect(storer.flushes).toEqual([['a:1']]);
    a.pending = 2;
    commit.submit(a, 0);
    commit.submit(b, 0);
    expect(storer.flushes).toHaveLength(1);
    await storer.finish();
    expect(storer.flushes).toEqual([['a:1'], ['a:2', 'b:1']]);
    await storer.finish();
    expect(storer.flushes).toHaveLength(2);
    expect(storer.isBusy).toBe(false);
  });

  it('lanes do not wait for one another; a source stays in its lane', async () => {
    const { storer, commit } = lanes(2);
    const even = storer.source('even', 1);
    const odd = storer.source('odd', 1);
    commit.submit(even, 4);
    commit.submit(odd, 7);
    expect(storer.flushes).toEqual([['even:1'], ['odd:1']]);
    even.pending = 1;
    commit.submit(even, 4);
    expect(storer.flushes).toHaveLength(2);
    await storer.finish();
    expect(storer.flushes[2]).toEqual(['even:1']);
  });

  it('a flush is bounded; what was left over goes next, after the others of its lane', async () => {
    const { storer, commit } = lanes(1);
    const large = storer.source('large', FLUSH_ENTRIES_MAX + 5);
    const small = storer.source('small', 1);
    commit.submit(large, 0);
    commit.submit(small, 0);
    await storer.finish();
    expect(storer.flushes.slice(0, 2)).toEqual([[`large:${FLUSH_ENTRIES_MAX}`], ['small:1', 'large:5']]);
  });

  it('halves, down to one push, while something in the flush can not be stored, and is full again afterwards', async () => {
    const { storer, commit } = lanes(1);
    const a = storer.source('a', 5);
    commit.submit(a, 0);
    storer.giveBack = true;
    const sizes = [];
    while (storer.flushes.at(-1)![0] !== 'a:1') {
      sizes.push(storer.flushes.at(-1)![0]);
      await storer.finish('halve');
    }
    expect(sizes).toEqual(['a:5', 'a:2']);
    storer.giveBack = false;
    await storer.finish('full');
    expect(storer.flushes.at(-1)).toEqual(['a:4']);
  });
});

interface Source {
  readonly name: string;
  pending: number;
}

/** Stores when told to. */
class SlowStorer implements Storer<Source> {
  readonly flushes: string[][] = [];
  /** What could not be stored is pending again. */
  giveBack = false;
  readonly #clock = new FakeClock();
  readonly #inFlight: ((next: 'full' | 'halve') => void)[] = [];

  source(name: string, pending: number): Source {
    return { name, pending };
  }

  get isBusy(): boolean {
    return this.#inFlight.length > 0;
  }

  take(source: Source, entriesMax: number): Batch | undefined {
    const count = Math.min(entriesMax, source.pending);
    if (count === 0) return undefined;
    source.pending -= count;
    const entries = Array.from({ length: count }, () => ({}) as PlacedEntry);
    return { document: source.name, slot: 0 as Slot, epoch: 1 as Epoch, head: 0 as Seq, entries, bytes: count };
  }

  store(taken: readonly Taken<Source>[]): Promise<'full' | 'halve'> {
    this.flushes.push(taken.map(({ source, batch }) => `${source.name}:${batch.entries.length}`));
    expect(entriesOf(taken)).toBeLessThanOrEqual(FLUSH_ENTRIES_MAX);
    return new Promise((resolve) => {
      this.#inFlight.push((next) => {
        if (this.giveBack) for (const { source, batch } of taken) source.pending += batch.entries.length;
        resolve(next);
      });
    });
  }

  async finish(next: 'full' | 'halve' = 'full'): Promise<void> {
    this.#inFlight.shift()!(next);
    await this.#clock.settle();
  }
}

function lanes(count: number) {
  const storer = new SlowStorer();
  return { storer, commit: new GroupCommit(storer, count) };
}
