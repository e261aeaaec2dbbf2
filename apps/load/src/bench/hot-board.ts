/**
 * The hot board: 50 people drag on one board, 60 changes a second each, and everybody sees everything. Propagation is
 * the time from the moment a change was meant to be sent to its arrival at each of the 50, the sender included.
 */
import type { EntriesFrame } from '@homeport/protocol';
import { Latencies, type Percentiles } from './latencies.js';
import { figureOf, shown } from './figures.js';
import { cpuMs } from './process-usage.js';
import { range, withSystems } from './rounds.js';
import { Schedule } from './schedule.js';
import { startHomeport, type System } from './system.js';
import { assertSound, Writer } from './writer.js';
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

/** Reads frames that many sockets receive: the same text is parsed once, for the first of them. */
class FrameReader {
  #text = '';
  #from = 0;
  #to = 0;
  #sentMs: number[] = [];
  frames = 0;
  deliveries = 0;
  latencies: Latencies | undefined;

  /** One receiver; answers how far it has come, and `undefined` after a hole. */
  receiver(openedAt: number): { hear(text: string): void; readonly seq: number; readonly sound: boolean } {
    let seq = openedAt;
    let sound = true;
    return {
      hear: (text) => {
        this.#read(text);
        if (this.#from > seq + 1) sound = false;
        this.frames++;
        const now = performance.now();
        for (let i = Math.max(0, seq + 1 - this.#from); i < this.#sentMs.length; i++) {
          this.deliveries++;
          this.latencies?.record(now - this.#sentMs[i]!);
        }
        seq = Math.max(seq, this.#to);
      },
      get seq() {
        return seq;
      },
      get sound() {
        return sound;
      },
    };
  }

  #read(text: string): void {
    if (text === this.#text) return;
    const frame = JSON.parse(text) as EntriesFrame;
    this.#text = text;
    this.#from = frame.from;
    this.#to = frame.to;
    this.#sentMs = frame.entries.map(({ ops: [op] }) => (op?.op === 'patch' ? Number(op.set['sentMs']) : Number.NaN));
    if (this.#sentMs.length !== frame.to - frame.from + 1) throw new Error('a frame lacks entries');
  }
}

async function measure(bench: Bench, system: System, round: number): Promise<Round> {
  const document = `hot-board-${round}`;
  const first = await Writer.join(system.url, document);
  await first.write(range(EDITORS).map((i) => ({ op: 'put', key: `shape:${i}`, value: { x: 0, y: 0, sentMs: 0 } })));
  first.close();

  const reader = new FrameReader();
  const receivers: ReturnType<FrameReader['receiver']>[] = [];
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
    const head = editors[0]!.openedAt + pushes;
    const complete = (): boolean => unanswered === 0 && receivers.every(({ seq }) => seq >= head);
    const limit = performance.now() + COMPLETE_WITHIN_MS;
    while (!complete() && performance.now() < limit) await bench.span(10);
    assertSound(editors);
    const behind = receivers.filter(({ seq, sound }) => seq !== head || !sound).length;
    if (behind > 0) throw new Error(`${behind} of ${EDITORS} editors did not receive every entry up to ${head}`);
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
