/**
 * A generator: a process that is some of the people of a run. It does what the conductor says, and tells once a second
 * how things go.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { nowMs } from '../history/operation.js';
import { Recorder } from '../history/recorder.js';
import { SCENARIOS } from '../scenarios/all.js';
import { Crowd } from './crowd.js';
import type { FromGenerator, Plan, ToGenerator } from './messages.js';
import type { Scenario } from './scenario.js';

const LAG_RESOLUTION_MS = 10;
const NANOSECONDS_PER_MS = 1_000_000;

class Generator {
  #crowd: Crowd | undefined;
  #scenario: Scenario | undefined;
  #recorder: Recorder | undefined;
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #ticker: NodeJS.Timeout | undefined;
  /** The second that is going on, and what was so when it began. */
  #second = 0;
  #cpu = process.cpuUsage();
  #sinceMs = nowMs();

  async hear(message: ToGenerator): Promise<void> {
    switch (message.kind) {
      case 'prepare':
        return this.#prepare(message.plan);
      case 'go':
        return this.#go(message.startMs);
      case 'urls':
        this.#the.urls = message.urls;
        return;
      case 'act':
        await this.#the.does(this.#scenario?.acts?.[message.act]?.(this.#the));
        return tell({ kind: 'acted' });
      case 'waits':
        return tell({ kind: 'waited', longest: this.#the.waits.take() });
      case 'flow':
        return tell({ kind: 'flowing', missing: await this.#the.flow() });
      case 'quiet': {
        const missing = await this.#crowd?.quiet();
        return tell({ kind: 'settled', documents: [...(this.#crowd?.documents ?? [])], missing });
      }
      case 'finish': {
        const missing = await this.#crowd?.finish(message.heads && new Map(message.heads));
        clearTimeout(this.#ticker);
        // What was answered last was waited for longest.
        if (this.#ticker) this.#tellSecond();
        await this.#recorder?.close();
        return tell({ kind: 'finished', missing });
      }
    }
  }

  async #prepare(plan: Plan): Promise<void> {
    this.#scenario = SCENARIOS.find(({ name }) => name === plan.scenario)!;
    this.#recorder = new Recorder(plan.historyFile);
    this.#crowd = new Crowd(plan, this.#recorder, (document, says) => tell({ kind: 'violation', document, says }));
    await this.#crowd.does(this.#scenario.populate(this.#crowd));
    tell({ kind: 'ready', joined: this.#crowd.tally.take(), documents: [...this.#crowd.documents] });
  }

  #go(startMs: number): void {
    this.#lag.enable();
    this.#cpu = process.cpuUsage();
    this.#sinceMs = nowMs();
    this.#tick(startMs);
    setTimeout(() => this.#the.start(), startMs - nowMs());
  }

  #tick(startMs: number): void {
    const dueMs = startMs + (this.#second + 1) * 1_000;
    this.#ticker = setTimeout(() => {
      this.#tellSecond();
      const { trouble } = this.#the;
      if (trouble !== undefined) tell({ kind: 'trouble', why: trouble });
      this.#tick(startMs);
    }, dueMs - nowMs());
  }

  /** Everything since the last one; the last of all is shorter than the others. */
  #tellSecond(): void {
    const crowd = this.#the;
    const used = process.cpuUsage(this.#cpu);
    const tookMs = nowMs() - this.#sinceMs;
    this.#cpu = process.cpuUsage();
    this.#sinceMs = nowMs();
    tell({
      kind: 'second',
      second: this.#second++,
      counts: crowd.tally.take(),
      cpuCores: (used.user + used.system) / 1_000 / tookMs,
      rssBytes: process.memoryUsage.rss(),
      loopLagMs: Math.max(0, this.#lag.max / NANOSECONDS_PER_MS - LAG_RESOLUTION_MS),
      lateMs: crowd.lateMs,
      waiting: crowd.waiting,
    });
    this.#lag.reset();
    crowd.lateMs = 0;
  }

  get #the(): Crowd {
    if (!this.#crowd) throw new Error('nothing was prepared');
    return this.#crowd;
  }
}

function tell(message: FromGenerator): void {
  process.send?.(message);
}

const generator = new Generator();
process.on('message', (message: ToGenerator) => {
  generator.hear(message).catch((error: Error) => tell({ kind: 'trouble', why: error.message.split('\n')[0]! }));
});
// The conductor ends it when it is time, also when it ends itself.
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});
