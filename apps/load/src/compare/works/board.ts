/** One board and many editors: each changes its own shape at a steady rate, and everybody is to see everything. */
import { FrameReader, type Receiver } from '../../measuring/frame-reader.js';
import { Latencies } from '../../measuring/latencies.js';
import { range } from '../../measuring/range.js';
import { Schedule } from '../../measuring/schedule.js';
import type { Writer } from '../../measuring/writer.js';
import { perOperation, type Turn } from '../turn.js';

export interface BoardLoad {
  readonly editors: number;
  /** Of each editor. */
  readonly opsPerSecond: number;
}

export interface BoardMeasured {
  /** Entries that arrived at an editor. */
  readonly deliveriesPerSecond: number;
  /** From the moment at which a change was meant to be sent to its arrival at each editor. */
  readonly propagation: { readonly p50Ms: number; readonly p99Ms: number };
  readonly cpuMicros: number | undefined;
}

/** Rejects when an editor has not received all that the others wrote. */
export async function playBoard(turn: Turn, { editors: count, opsPerSecond }: BoardLoad): Promise<BoardMeasured> {
  const document = turn.document(`${count}-editors`);
  const first = await turn.join(document);
  for (const i of range(count)) await first.write([{ op: 'put', key: `shape:${i}`, value: { x: 0, y: 0, sentMs: 0 } }]);
  first.close();

  const reader = new FrameReader();
  const receivers: Receiver[] = [];
  const editors: Writer[] = [];
  for (const i of range(count)) {
    // Frames can come with the reply of `open`, before `join` has returned: nobody writes yet, so none does.
    editors.push(await turn.join(document, (text) => receivers[i]?.hear(text)));
    receivers.push(reader.receiver(editors[i]!.openedAt));
  }
  const pushes = range(count).map(() => 0);
  const schedule = new Schedule(count * opsPerSecond, (index, intendedMs) => {
    const editor = index % count;
    pushes[editor]!++;
    const set = `{"x":${index % 1_000},"y":${index % 777},"sentMs":${Math.round(intendedMs * 1_000) / 1_000}}`;
    editors[editor]!.push(`[{"op":"patch","key":"shape:${editor}","set":${set},"unset":[]}]`, () => {});
  });
  try {
    await turn.span(turn.quick ? 500 : 2_000);
    const latencies = (reader.latencies = new Latencies());
    const deliveriesBefore = reader.deliveries;
    const usage = turn.meter();
    await turn.span(turn.quick ? 1_500 : 6_000);
    const used = usage();
    const deliveries = reader.deliveries - deliveriesBefore;
    schedule.stop();
    const all = pushes.reduce((sum, each) => sum + each, 0);
    const expected = (editor: number): number => (turn.system.frames === 'to-all' ? all : all - pushes[editor]!);
    // What arrives last counts as well.
    await turn.settled(editors, () => receivers.every(({ heard }, i) => heard >= expected(i)));
    const wrong = receivers.filter(({ heard }, i) => heard !== expected(i)).length;
    if (wrong > 0) throw new Error(`${wrong} of ${count} editors received a change twice`);
    const disordered = receivers.filter(({ inOrder }) => !inOrder).length;
    if (turn.system.frames === 'to-all' && disordered > 0)
      throw new Error(`${disordered} editors received frames out of order`);
    const { p50Ms, p99Ms } = latencies.percentiles;
    return {
      deliveriesPerSecond: (deliveries * 1_000) / used.tookMs,
      propagation: { p50Ms, p99Ms },
      cpuMicros: perOperation(used, (count * opsPerSecond * used.tookMs) / 1_000),
    };
  } finally {
    schedule.stop();
    for (const editor of editors) editor.close();
  }
}
