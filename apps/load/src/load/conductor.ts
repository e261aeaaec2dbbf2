/**
 * One run, from the first process to the verdict.
 *
 *   system up ──> generators join ── time zero ──> warm-up ──> measured, and directed ──> quiet ──> judged
 *
 * The generators are the people, in processes of their own; the conductor looks at the system once a second, lets the
 * scenario do to it what it is for, and puts together what everybody tells. A run that is ended early, by Ctrl-C or
 * because nobody answers any more, is judged and reported like any other, as far as it came.
 */
import { mkdir } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '@homeport/testkit';
import type { Violation } from '../history/evidence.js';
import { nowMs } from '../history/operation.js';
import { thisMachine } from '../measuring/machine.js';
import { makeResultFolder } from '../result-folder.js';
import { Direction } from './direction.js';
import { Generators } from './generators.js';
import { judge } from './judge.js';
import { measured } from './measured.js';
import type { GeneratorSecond, Plan } from './messages.js';
import type { LoadOptions } from './options.js';
import { OwnSystem } from './own-system.js';
import type { Moment, OwnershipMoment, RunResult, RunVerdict } from './run-result.js';
import { sizeOf, type Scenario } from './scenario.js';
import type { System } from './system.js';
import type { KindCounts } from './tally.js';
import { Timeline } from './timeline.js';
import { UrlSystem } from './url-system.js';
import { Usage } from './usage.js';
import { warningsOf } from './warnings.js';

export interface Watcher {
  /** What goes on before and after the measured time. */
  note(line: string): void;
  moment(moment: Moment, atMs: number, note?: string): void;
}

/** Time for the generators to hear of time zero before it comes. */
const HEADS_UP_MS = 100;

export class Conductor {
  readonly #scenario: Scenario;
  readonly #options: LoadOptions;
  readonly #folder: string;
  readonly #watcher: Watcher;
  readonly #timeline: Timeline;
  readonly #warmUpMs: number;
  readonly #startedAt = new Date();
  readonly #loadBefore = loadavg()[0]!;
  readonly #abort = new AbortController();
  readonly #violations: Violation[] = [];
  readonly #seconds: GeneratorSecond[] = [];
  readonly #ownership: OwnershipMoment[] = [];
  #joined: readonly KindCounts[] = [];
  #usage = new Usage(0);
  #direction: Direction | undefined;
  #startMs = 0;
  #acks = 0;
  #isOver = false;
  #answeredMs = 0;

  constructor(scenario: Scenario, options: LoadOptions, folder: string, watcher: Watcher) {
    this.#scenario = scenario;
    this.#options = options;
    this.#folder = folder;
    this.#watcher = watcher;
    this.#warmUpMs = options.warmUpSeconds * 1_000;
    this.#timeline = new Timeline(options.generators, this.#warmUpMs);
  }

  get #historyFolder(): string {
    return join(this.#folder, 'history');
  }

  /** Ends it early. */
  cut(why: string): void {
    this.#abort.abort(new Error(why));
  }

  async play(): Promise<RunResult> {
    const { token, generators: count } = this.#options;
    const system = await this.#system();
    const generators = new Generators(count, {
      second: (generator, second) => this.#heard(generator, second),
      violation: (document, says) => void this.#violations.push({ rule: 5, document, says, at: nowMs() }),
    });
    try {
      const cutShort = await this.#work(system, generators);
      this.#isOver = true;
      this.#watcher.note('settling, and reading the log');
      const durationMs = this.#startMs === 0 ? 0 : nowMs() - this.#startMs;
      const verdict = await judge({
        ...{ system, generators, token, historyFolder: this.#historyFolder, violations: this.#violations },
        logFile: join(this.#folder, 'log.jsonl'),
        faults: this.#direction?.times ?? [],
        failures: [...(this.#direction?.failures ?? []), ...(cutShort === undefined ? [] : [cutShort])],
      });
      return this.#result(system, verdict, durationMs, cutShort);
    } finally {
      generators.end();
      await system.stop();
    }
  }

  async #system(): Promise<System> {
    const { nodes, urls, token, prefix, sizes } = this.#options;
    // Before a folder is made: an address that does not answer leaves nothing behind.
    if (urls.length > 0) {
      const system = await UrlSystem.reach(urls, token, prefix);
      await this.#makeFolders();
      return system;
    }
    await this.#makeFolders();
    this.#watcher.note(`starting ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`);
    const settings = this.#scenario.settings?.(sizeOf(sizes)) ?? {};
    return OwnSystem.start(nodes, this.#folder, settings, this.#abort.signal);
  }

  async #makeFolders(): Promise<void> {
    await makeResultFolder(this.#folder);
    await mkdir(this.#historyFolder);
  }

  /** Until it is over. Answers why it ended early, if so. */
  async #work(system: System, generators: Generators): Promise<string | undefined> {
    let looking: NodeJS.Timeout | undefined;
    let directed: Promise<void> = Promise.resolve();
    try {
      // Interrupted while the system was starting.
      this.#abort.signal.throwIfAborted();
      this.#watcher.note(`${this.#scenario.sessions(sizeOf(this.#options.sizes))} sessions join`);
      const ready = await this.#unlessCut(
        generators,
        generators.prepare((index) => this.#plan(system, index)),
      );
      this.#joined = ready.flatMap(({ joined }) => joined);
      this.#startMs = this.#answeredMs = nowMs() + HEADS_UP_MS;
      generators.go(this.#startMs);
      this.#usage = new Usage(this.#startMs);
      looking = setInterval(() => void this.#look(system, generators), 1_000);
      const direction = this.#directionOf(
        system,
        generators,
        ready.flatMap(({ documents }) => documents),
      );
      directed = this.#direct(direction);
      await this.#unlessCut(generators, directed);
      return undefined;
    } catch (error) {
      this.#abort.abort(error);
      // What was broken is mended first, as far as it goes.
      await Promise.race([directed.catch(() => {}), pause(this.#options.patienceSeconds * 1_000)]);
      return (error as Error).message.split('\n')[0];
    } finally {
      clearInterval(looking);
    }
  }

  async #direct(direction: Direction): Promise<void> {
    this.#direction = direction;
    await direction.span(this.#warmUpMs + HEADS_UP_MS);
    await this.#scenario.direct?.(direction);
    await direction.span(Math.max(0, direction.leftMs));
  }

  #directionOf(system: System, generators: Generators, documents: readonly string[]): Direction {
    const { sizes, seed, seconds, patienceSeconds } = this.#options;
    const acks = (): number => this.#acks;
    return new Direction({
      ...{ system, generators, size: sizeOf(sizes), startMs: this.#startMs, abort: this.#abort.signal },
      endMs: this.#startMs + this.#warmUpMs + seconds * 1_000,
      stage: {
        random: new SeededRandom(seed),
        patienceMs: patienceSeconds * 1_000,
        load: {
          documents,
          get acks() {
            return acks();
          },
        },
      },
    });
  }

  /** The promise, unless the run is cut or a generator can not go on before. */
  #unlessCut<T>(generators: Generators, promise: Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    const cut = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    return Promise.race([promise, cut, generators.trouble]);
  }

  #plan(system: System, index: number): Plan {
    const { sizes, token, ownsSystem, seed, prefix, rampSeconds, patienceSeconds, generators } = this.#options;
    return {
      ...{ scenario: this.#scenario.name, sizes, index, generators, urls: system.urls, token, ownsSystem, seed },
      prefix: `${prefix}${this.#startedAt.getTime().toString(36)}-`,
      rampMs: rampSeconds * 1_000,
      patienceMs: patienceSeconds * 1_000,
      historyFile: join(this.#historyFolder, `generator-${index + 1}.jsonl`),
    };
  }

  #heard(generator: number, second: GeneratorSecond): void {
    const { cpuCores, rssBytes, loopLagMs, counts } = second;
    const moment = this.#timeline.add(second.second, counts);
    // What comes late counts in the latencies; how busy a generator is while all settles says nothing of the run.
    if (this.#isOver) return;
    this.#seconds.push(second);
    const atMs = (second.second + 1) * 1_000;
    this.#usage.add(`generator-${generator + 1}`, { atMs, cpuCores, rssBytes, loopLagMs });
    const ok = counts.reduce((sum, count) => sum + count.ok, 0);
    if (ok > 0) this.#answeredMs = nowMs();
    this.#acks += counts.find(({ kind }) => kind === 'push')?.ok ?? 0;
    if (!moment) return;
    const mark = this.#direction?.marks.at(-1);
    this.#watcher.moment(moment, atMs, mark && `${mark.name}: ${mark.says}`);
  }

  /** Once a second. */
  async #look(system: System, generators: Generators): Promise<void> {
    generators.urls(system.urls);
    const silentMs = nowMs() - this.#answeredMs;
    if (silentMs > this.#options.patienceSeconds * 1_000)
      this.cut(
        `nothing was answered for ${Math.round(silentMs / 1_000)} s: ${system.urls.join(', ') || 'no node'} is gone`,
      );
    const atMs = nowMs() - this.#startMs;
    await this.#usage.look(system.processes());
    const slots = await system.slots();
    if (slots) this.#ownership.push({ atMs, slots });
  }

  #result(system: System, verdict: RunVerdict, durationMs: number, cutShort: string | undefined): RunResult {
    const { operations, moments } = this.#timeline;
    const processes = this.#usage.series;
    const found = this.#direction?.found ?? [];
    const warmUpMs = this.#warmUpMs;
    const { name, says } = this.#scenario;
    const { seed, sizes, seconds, nodes, generators, rampSeconds } = this.#options;
    const size = sizeOf(sizes);
    const measuring = { size, operations, moments, joined: this.#joined, processes, warmUpMs, durationMs, found };
    return {
      ...{ format: 'homeport-load/1', scenario: name, says, seed, startedAt: this.#startedAt.toISOString() },
      ...{
        durationMs,
        warmUpMs,
        operations,
        // The second in which it ended has no rate.
        series: moments.filter(({ atMs }) => atMs + 1_000 <= durationMs),
        processes,
        ownership: this.#ownership,
        verdict,
      },
      options: { ...sizes, seconds, ramp: rampSeconds, generators, ...(system.kind === 'own' && { nodes }) },
      machine: thisMachine(),
      system: { kind: system.kind, urls: this.#options.urls },
      figures: durationMs > warmUpMs ? this.#scenario.figures(measured(measuring)) : found,
      faults: this.#direction?.marks ?? [],
      warnings: [
        ...(this.#direction?.warnings ?? []),
        ...warningsOf({
          processes,
          seconds: this.#seconds,
          warmUpMs,
          loadBefore: this.#loadBefore,
          cores: availableParallelism(),
        }),
      ],
      ...(cutShort !== undefined && { cutShort }),
    };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((over) => setTimeout(over, ms).unref());
}
