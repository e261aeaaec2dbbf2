/**
 * The hot board: 50 people drag on one board, 60 changes a second each, and everybody sees everything. Propagation is
 * the time from the moment a change was meant to be sent to its arrival at each of the 50, the sender included.
 */
import { FrameReader, type Receiver } from '../measuring/frame-reader.js';
import { Latencies, type Percentiles } from '../measuring/latencies.js';
import { figureOf, shown } from '../measuring/figures.js';
import { cpuMs } from '../measuring/process-usage.js';
import { range } from '../measuring/range.js';
import { withSystems } from './rounds.js';
import { Schedule } from '../measuring/schedule.js';
import { startHomeport, type System } from './system.js';
import { assertSound, Writer } from '../measuring/writer.js';
import type { Bench, Measured, Measurement } from './measurement.js';

const EDITORS = 50;
const OPS_PER_SECOND = 60;
const COMPLETE_WITHIN_MS = 10_000;

interface Round {
  readonly propagation: Percentiles;
  readonly pushes: number;
  readonly deliveriesPerSecond: number;
  readonly entriesPerFrame: number;
  readonly serverMicros: number | undefined;
}

export const hotBoard: Measurement = {
  name: 'hot-board',
  says: `one document, ${EDITORS} editors × ${OPS_PER_SECOND} ops/s, everything delivered to all`,
  async run(bench: Bench): Promise<Measured> {
    return withSystems([startHomeport], async ([system]) => {
      const rounds: Round[] = [];
      await bench.rounds(bench.quick ? 1 : 3, async (round) => {
        const measured = await measure(bench, system!, round);
        rounds.push(measured);
        const { p50Ms, p99Ms } = measured.propagation;
        bench.tell(`hot board, round ${round + 1}: propagation p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`);
      });
      return report(rounds);
    });
  },
};

async function measure(bench: Bench, system: System, round: number): Promise<Round> {
  const document = `hot-board-${round}`;
  const first = await Writer.join(system.url, document);
  await first.write(range(EDITORS).map((i) => ({ op: 'put', key: `shape:${i}`, value: { x: 0, y: 0, sentMs: 0 } })));
  first.close();

  const reader = new FrameReader();
  const receivers: Receiver[] = [];
  const editors: Writer[] = [];
  for (const i of range(EDITORS)) {
    // Frames can come with the reply of `open`, before `join` has returned: nobody writes yet, so none does.
    editors.push(await Writer.join(system.url, document, (text) => receivers[i]?.hear(text)));
    receivers.push(reader.receiver(editors[i]!.openedAt));
  }
  let pushes = 0;
  let unanswered = 0;
  const schedule = new Schedule(EDITORS * OPS_PER_SECOND, (index, intendedMs) => {
    pushes++;
    unanswered++;
    const set = `{"x":${index % 1_000},"y":${index % 777},"sentMs":${intendedMs.toFixed(3)}}`;
    const editor = index % EDITORS;
    editors[editor]!.push(`[{"op":"patch","key":"shape:${editor}","set":${set},"unset":[]}]`, () => unanswered--);
  });
  try {
    await bench.span(bench.quick ? 1_000 : 3_000);
    const latencies = (reader.latencies = new Latencies());
    const before = { atMs: performance.now(), pushes, cpu: cpuMs(system.pid), ...counts(reader) };
    await bench.span(bench.quick ? 3_000 : 10_000);
    const tookMs = performance.now() - before.atMs;
    const after = { pushes, cpu: cpuMs(system.pid), ...counts(reader) };
    schedule.stop();
    const complete = (): boolean => unanswered === 0 && receivers.every(({ heard }) => heard >= pushes);
    const limit = performance.now() + COMPLETE_WITHIN_MS;
    while (!complete() && performance.now() < limit) await bench.span(10);
    assertSound(editors);
    const behind = receivers.filter(({ heard, inOrder }) => heard !== pushes || !inOrder).length;
    if (behind > 0) throw new Error(`${behind} of ${EDITORS} editors did not receive all ${pushes} entries, in order`);
    const deliveries = after.deliveries - before.deliveries;
    return {
      propagation: latencies.percentiles,
      pushes,
      deliveriesPerSecond: (deliveries * 1_000) / tookMs,
      entriesPerFrame: deliveries / (after.frames - before.frames),
      serverMicros:
        after.cpu === undefined || before.cpu === undefined
          ? undefined
          : ((after.cpu - before.cpu) * 1_000) / (after.pushes - before.pushes),
    };
  } finally {
    schedule.stop();
    for (const editor of editors) editor.close();
  }
}

function counts({ frames, deliveries }: FrameReader): { frames: number; deliveries: number } {
  return { frames, deliveries };
}

function report(rounds: readonly Round[]): Measured {
  const of = (value: (round: Round) => number, digits = 0): string => shown(figureOf(rounds.map(value)), digits);
  const propagation = `p50 ${of((round) => round.propagation.p50Ms, 1)} ms, p99 ${of((round) => round.propagation.p99Ms, 1)} ms`;
  return {
    rows: [
      { what: 'propagation to all', value: propagation, target: 'p99 ≤ 100 ms, goal 50' },
      { what: 'deliveries', value: `${of((round) => round.deliveriesPerSecond)} /s, every editor complete` },
      { what: 'entries per frame', value: of((round) => round.entriesPerFrame, 1) },
      { what: 'server CPU per push', value: `${shown(figureOf(rounds.map((r) => r.serverMicros)), 1)} µs` },
    ],
    raw: { editors: EDITORS, opsPerSecond: OPS_PER_SECOND, rounds },
  };
}
