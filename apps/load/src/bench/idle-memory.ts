/**
 * What an idle session costs in memory: thousands of sockets, each with one document open, of its own. The figure is the
 * slope between two numbers of sessions, so that what the process needs anyway does not count. Of each level the lowest
 * reading counts: garbage that has not been collected yet belongs to nobody.
 */
import { residentBytes } from '../measuring/process-usage.js';
import { range } from '../measuring/range.js';
import { withSystems } from './rounds.js';
import { startEcho, startHomeport, type System } from './system.js';
import { Writer } from '../measuring/writer.js';
import type { Row } from '../measuring/table.js';
import type { Bench, Measured, Measurement } from './measurement.js';

const OPENING_AT_ONCE = 50;

interface Slope {
  readonly sessions: readonly [number, number];
  readonly bytes: readonly [number, number];
  readonly bytesPerSession: number;
}

export const idleMemory: Measurement = {
  name: 'idle-memory',
  says: 'resident memory per idle session, each with one open document',
  async run(bench: Bench): Promise<Measured> {
    const slopes = new Map<System['name'], Slope | undefined>();
    for (const start of [startEcho, startHomeport])
      await withSystems([start], async ([system]) => {
        slopes.set(system!.name, await measure(bench, system!));
      });
    const [echo, homeport] = [slopes.get('echo'), slopes.get('homeport')];
    return {
      rows: [row('Homeport, per idle session', homeport, '≤ 25 KB'), row('of it, Socket.IO alone', echo)],
      raw: { echo, homeport },
    };
  },
};

async function measure(bench: Bench, system: System): Promise<Slope | undefined> {
  const sessions = bench.quick ? ([250, 1_250] as const) : ([1_000, 6_000] as const);
  const writers: Writer[] = [];
  try {
    const bytes: number[] = [];
    for (const level of sessions) {
      while (writers.length < level) {
        const next = range(Math.min(OPENING_AT_ONCE, level - writers.length)).map((i) => writers.length + i);
        writers.push(...(await Promise.all(next.map((i) => Writer.join(system.url, `idle-${i}`)))));
        await bench.span(0);
      }
      const settled = await lowestResident(bench, system.pid);
      if (settled === undefined) return undefined;
      bench.tell(`idle memory, ${system.name}: ${level} sessions, ${Math.round(settled / 2 ** 20)} MB`);
      bytes.push(settled);
    }
    const [less, more] = [bytes[0]!, bytes[1]!];
    return { sessions, bytes: [less, more], bytesPerSession: (more - less) / (sessions[1] - sessions[0]) };
  } finally {
    for (const writer of writers) writer.close();
  }
}

/** Node collects an idle heap by and by, some seconds after the last work. */
async function lowestResident(bench: Bench, pid: number): Promise<number | undefined> {
  let lowest = residentBytes(pid);
  for (let i = 0; i < (bench.quick ? 10 : 40); i++) {
    await bench.span(500);
    const now = residentBytes(pid);
    if (now !== undefined && (lowest === undefined || now < lowest)) lowest = now;
  }
  return lowest;
}

function row(what: string, slope: Slope | undefined, target?: string): Row {
  const value = slope ? `${(slope.bytesPerSession / 1_024).toFixed(1)} KB` : 'not measured here';
  return { what, value, ...(target !== undefined && { target }) };
}
