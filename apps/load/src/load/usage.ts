/** What the processes of the system use, point by point, and what their event loops say. Their generators tell of themselves. */
import { readFileSync } from 'node:fs';
import { cpuMs, ownBytes, residentBytes } from '../measuring/process-usage.js';
import { nowMs } from '../history/operation.js';
import type { ProcessSeries } from './run-result.js';
import type { SystemProcess } from './system.js';

type Point = ProcessSeries['points'][number];

const METRICS_WITHIN_MS = 900;
const LAG = /^nodejs_eventloop_lag_max_seconds\S* (\S+)$/m;
/** The server's own histogram counts from the interval of its timer. */
const LAG_RESOLUTION_MS = 10;

export class Usage {
  readonly #points = new Map<string, Point[]>();
  readonly #last = new Map<string, { readonly pid: number; readonly cpu: number; readonly atMs: number }>();

  constructor(private readonly startMs: number) {}

  get series(): ProcessSeries[] {
    return [...this.#points].map(([name, points]) => ({ name, points }));
  }

  add(name: string, point: Point): void {
    const points = this.#points.get(name);
    if (points) points.push(point);
    else this.#points.set(name, [point]);
  }

  /** Never rejects. */
  async look(processes: readonly SystemProcess[]): Promise<void> {
    await Promise.all(processes.map((one) => this.#look(one)));
  }

  async #look({ name, pid, url }: SystemProcess): Promise<void> {
    const children = url === undefined ? childrenOf(pid) : [];
    const cpu = sum([pid, ...children].map(cpuMs));
    const rssBytes = sum([residentBytes(pid), ...children.map(ownBytes)]);
    const now = nowMs();
    if (cpu === undefined || rssBytes === undefined) return;
    const last = this.#last.get(name);
    this.#last.set(name, { pid, cpu, atMs: now });
    if (last?.pid !== pid) return;
    const loopLagMs = url === undefined ? undefined : await loopLag(url);
    this.add(name, {
      atMs: now - this.startMs,
      cpuCores: Math.max(0, cpu - last.cpu) / (now - last.atMs),
      rssBytes,
      ...(loopLagMs !== undefined && { loopLagMs }),
    });
  }
}

async function loopLag(url: string): Promise<number | undefined> {
  try {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(METRICS_WITHIN_MS) });
    const seconds = LAG.exec(await response.text())?.[1];
    return seconds === undefined ? undefined : Math.max(0, Number(seconds) * 1_000 - LAG_RESOLUTION_MS);
  } catch {
    return undefined;
  }
}

/** Postgres is a process for each connection. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}
