import { FakeClock, RecordingChannel, RecordingFanOut } from '@homeport/testkit';
import type { Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import type { PlacedEntry } from './entry.js';
import { Frames } from './fan-out.js';

describe('Frames', () => {
  it('the first leaves at once, those of the interval leave together, and 50 readers are one delivery', async () => {
    const { clock, fanOut, frames } = bench();
    const readers = Array.from({ length: 50 }, () => {
      const reader = new RecordingChannel(fanOut);
      reader.join('board');
      return reader;
    });
    frames.add([entry(1)]);
    frames.add([entry(2), entry(3)]);
    frames.add([entry(4)]);
    expect(rangesOf(fanOut)).toEqual(['1..1']);
    await clock.advance(16);
    frames.add([entry(5)]);
    await clock.advance(16);
    expect(rangesOf(fanOut)).toEqual(['1..1', '2..4', '5..5']);
    expect(fanOut.delivered.every(({ receivers }) => receivers === 50)).toBe(true);
    for (const reader of readers) expect(reader.of('entries').map(({ to }) => to)).toEqual([1, 4, 5]);
  });

  it('a hot document costs a bounded number of frames, and none is lost', async () => {
    const { clock, fanOut, frames } = bench();
    for (let seq = 1; seq <= 1_000; seq++) {
      frames.add([entry(seq)]);
      await clock.advance(1);
    }
    await clock.advance(16);
    expect(fanOut.delivered.length).toBeLessThanOrEqual(1_000 / 16 + 2);
    const seqs = fanOut.delivered.flatMap(({ message }) =>
      message.event === 'entries' ? message.payload.entries.map(({ seq }) => seq) : [],
    );
    expect(seqs).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  });

  it('after a pause the next leaves at once again', async () => {
    const { clock, fanOut, frames } = bench();
    frames.add([entry(1)]);
    await clock.advance(100);
    frames.add([entry(2)]);
    expect(rangesOf(fanOut)).toEqual(['1..1', '2..2']);
  });

  it('flush: what is held leaves now, once', async () => {
    const { clock, fanOut, frames } = bench();
    frames.add([entry(1)]);
    frames.add([entry(2)]);
    frames.flush();
    frames.flush();
    await clock.advance(100);
    expect(rangesOf(fanOut)).toEqual(['1..1', '2..2']);
  });

  it('stop: nothing leaves any more, and no timer stays behind', async () => {
    const { clock, fanOut, frames } = bench();
    frames.add([entry(1)]);
    frames.add([entry(2)]);
    frames.stop();
    await clock.advance(100);
    expect(rangesOf(fanOut)).toEqual(['1..1']);
    expect(clock.pendingTimers).toBe(0);
  });
});

function bench() {
  const clock = new FakeClock();
  const fanOut = new RecordingFanOut();
  return { clock, fanOut, frames: new Frames('board', fanOut, clock, 16) };
}

function entry(seq: number): PlacedEntry {
  return { seq: seq as Seq, session: 's', opNo: seq, after: seq - 1, user: 'ada', at: 0, opsText: '[]' };
}

function rangesOf(fanOut: RecordingFanOut): string[] {
  return fanOut.delivered.map(({ message }) =>
    message.event === 'entries' ? `${message.payload.from}..${message.payload.to}` : message.event,
  );
}
