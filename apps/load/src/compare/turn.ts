/** One system's turn at one work: what it writes to is new, and what it was acknowledged is remembered. */
import { cpuMs } from '../measuring/process-usage.js';
import { assertSound, Writer } from '../measuring/writer.js';
import type { Place, System } from './systems/system.js';

const ANSWERED_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 5;
const CALM_MS = 500;
const CALM_CORES = 0.2;
const CALM_WITHIN_MS = 20_000;

export class Turn {
  readonly #writers: Writer[] = [];
  readonly warnings: string[] = [];
  /** The most of a core that this process used while something was measured. */
  generatorCores = 0;

  constructor(
    readonly system: System,
    /** Shorter: to see that it works. */
    readonly quick: boolean,
    private readonly name: string,
  ) {}

  /** A document that nobody else writes to. */
  document(name: string): string {
    return `${this.name}-${name}`;
  }

  place(document: string): Promise<Place> {
    return this.system.place(document);
  }

  async join(document: string, hear?: (frameText: string) => void): Promise<Writer> {
    const { url, how } = await this.place(document);
    const writer = await Writer.join(url, document, hear, how);
    this.#writers.push(writer);
    return writer;
  }

  get writers(): readonly Writer[] {
    return this.#writers;
  }

  span(ms: number): Promise<void> {
    return new Promise((over) => setTimeout(over, ms));
  }

  /** From now on; what it answers tells what was used until then. */
  meter(): () => Usage {
    const used = (): number | undefined =>
      this.system.pids.reduce<number | undefined>((sum, pid) => {
        const ms = cpuMs(pid);
        return sum === undefined || ms === undefined ? undefined : sum + ms;
      }, 0);
    const before = { atMs: performance.now(), serverMs: used(), generator: process.cpuUsage() };
    return () => {
      const tookMs = performance.now() - before.atMs;
      const generator = process.cpuUsage(before.generator);
      this.generatorCores = Math.max(this.generatorCores, (generator.user + generator.system) / 1_000 / tookMs);
      const serverMs = used();
      return {
        tookMs,
        serverMicros:
          serverMs === undefined || before.serverMs === undefined ? undefined : (serverMs - before.serverMs) * 1_000,
      };
    };
  }

  /** Waits until every push has its answer, and `holds`. Rejects with what went wrong, or did not come. */
  async settled(writers: readonly Writer[], holds = (): boolean => true): Promise<void> {
    const limit = performance.now() + ANSWERED_WITHIN_MS;
    for (;;) {
      assertSound(writers);
      const unanswered = writers.reduce((sum, writer) => sum + writer.unanswered, 0);
      if (unanswered === 0 && holds()) return;
      if (performance.now() > limit)
        throw new Error(
          `after ${ANSWERED_WITHIN_MS / 1_000} s ${unanswered} pushes are unanswered, or not delivered to all`,
        );
      await this.span(LOOK_AGAIN_MS);
    }
  }

  /** Waits until the server has next to nothing to do, for a while. Where the platform does not tell: for that while. */
  async calm(): Promise<void> {
    const limit = performance.now() + CALM_WITHIN_MS;
    for (;;) {
      const usage = this.meter();
      await this.span(CALM_MS);
      const { serverMicros, tookMs } = usage();
      if (serverMicros === undefined || serverMicros / 1_000 / tookMs < CALM_CORES) return;
      if (performance.now() > limit) return;
    }
  }

  end(): void {
    for (const writer of this.#writers) writer.close();
  }
}

export interface Usage {
  readonly tookMs: number;
  readonly serverMicros: number | undefined;
}

/** What one of `count` cost the server. */
export function perOperation({ serverMicros }: Usage, count: number): number | undefined {
  return serverMicros === undefined ? undefined : serverMicros / count;
}
