/** Pushes that are due at fixed times, whatever becomes of those before, and how long each waits for its ack from then on. */
import { Latencies, type Percentiles } from '../../measuring/latencies.js';
import { Schedule } from '../../measuring/schedule.js';
import type { Writer } from '../../measuring/writer.js';
import { perOperation, type Turn } from '../turn.js';

export interface OpenLoop {
  /** They push in turns. */
  readonly writers: readonly Writer[];
  readonly pushesPerSecond: number;
  /** Of each push, as JSON. */
  ops(index: number): string;
}

export interface OpenLoopMeasured {
  readonly percentiles: Percentiles;
  readonly cpuMicros: number | undefined;
}

/** What is sent in the warm-up is not measured. */
export async function playOpenLoop(turn: Turn, { writers, pushesPerSecond, ops }: OpenLoop): Promise<OpenLoopMeasured> {
  let measured: Latencies | undefined;
  const schedule = new Schedule(pushesPerSecond, (index, intendedMs) => {
    const into = measured;
    writers[index % writers.length]!.push(ops(index), () => into?.record(performance.now() - intendedMs));
  });
  try {
    await turn.span(turn.quick ? 500 : 2_000);
    const latencies = (measured = new Latencies());
    const usage = turn.meter();
    await turn.span(turn.quick ? 1_000 : 6_000);
    const used = usage();
    schedule.stop();
    // The slowest answers count as well.
    await turn.settled(writers);
    const cpuMicros = perOperation(used, (pushesPerSecond * used.tookMs) / 1_000);
    return { percentiles: latencies.percentiles, cpuMicros };
  } finally {
    schedule.stop();
  }
}
