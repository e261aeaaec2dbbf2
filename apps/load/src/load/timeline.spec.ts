import { describe, expect, it } from 'vitest';
import { SeededRandom } from '@homeport/testkit';
import { Latencies } from '../measuring/latencies.js';
import { dueAfterMs } from '../measuring/schedule.js';
import { Tally } from './tally.js';
import { Timeline } from './timeline.js';

describe('what several generators saw', () => {
  it('is put together as if one had seen it', () => {
    const random = new SeededRandom(7);
    const timeline = new Timeline(2, 0);
    const tallies = [new Tally(), new Tally()];
    const all = new Latencies();
    for (let second = 0; second < 3; second++) {
      for (const [i, tally] of tallies.entries())
        for (let n = 0; n < 500; n++) {
          const ms = random.between(0.1, i === 0 ? 5 : 2_000);
          tally.ok('push', ms);
          all.record(ms);
        }
      for (const tally of tallies) timeline.add(second, tally.take());
    }
    const { p50Ms, p99Ms, p999Ms, maxMs, count } = all.percentiles;
    const [push] = timeline.operations;
    expect(push).toMatchObject({ kind: 'push', ok: count, refused: 0, unknown: 0 });
    expect(push!.latency).toMatchObject({ p50: p50Ms, p99: p99Ms, p999: p999Ms });
    // Three digits go from process to process.
    expect(push!.latency.max / maxMs).toBeCloseTo(1, 2);
    const { buckets } = push!.latency;
    expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(count);
    expect(buckets.at(-1)!.upToMs).toBeGreaterThanOrEqual(maxMs);
    expect(buckets.map(({ upToMs }) => upToMs)).toEqual(buckets.map(({ upToMs }) => upToMs).sort((a, b) => a - b));
  });

  it('makes a second when all have told it, and a total of what came after the warm-up', () => {
    const timeline = new Timeline(2, 1_000);
    const tell = (second: number, ms: number) => {
      const tally = new Tally();
      tally.ok('push', ms);
      tally.refused('push');
      return timeline.add(second, tally.take());
    };
    expect(tell(0, 900)).toBeUndefined();
    expect(tell(1, 10)).toBeUndefined();
    expect(tell(0, 900)?.kinds).toMatchObject([{ kind: 'push', perSecond: 2, errorsPerSecond: 2 }]);
    expect(tell(1, 30)).toMatchObject({ atMs: 1_000, kinds: [{ perSecond: 2, errorsPerSecond: 2 }] });
    const [push] = timeline.operations;
    expect(push).toMatchObject({ ok: 2, refused: 2 });
    expect(push!.latency.max).toBeLessThan(31);
  });

  it('counts what took longer than a minute as a minute', () => {
    const tally = new Tally();
    tally.ok('push', 3_600_000);
    const timeline = new Timeline(1, 0);
    timeline.add(0, tally.take());
    expect(timeline.operations[0]!.latency.max).toBeGreaterThanOrEqual(60_000);
  });
});

describe('a rate that rises', () => {
  it('has sent half as much in the ramp as after it in the same time', () => {
    const times = Array.from({ length: 300 }, (_, i) => dueAfterMs(i, 100, 2_000));
    expect(times.filter((ms) => ms < 2_000)).toHaveLength(100);
    expect(times.filter((ms) => ms >= 2_000 && ms < 4_000)).toHaveLength(200);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(dueAfterMs(5, 10, 0)).toBe(500);
  });
});
