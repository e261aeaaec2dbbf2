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
  #ticker: NodeJS.Timeout | undefined;

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
        await this.#scenario?.acts?.[message.act]?.(this.#the);
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
        await this.#recorder?.close();
        return tell({ kind: 'finished', missing });
      }
    }
  }

  async #prepare(plan: Plan): Promise<void> {
    this.#scenario = SCENARIOS.find(({ name }) => name === plan.scenario)!;
    this.#recorder = new Recorder(plan.historyFile);
    this.#crowd = new Crowd(plan, this.#recorder, (document, says) => tell({ kind: 'violation', document, says }));
    await this.#scenario.populate(this.#crowd);
    tell({ kind: 'ready', joined: this.#crowd.tally.take(), documents: [...this.#crowd.documents] });
  }

  #go(startMs: number): void {
    const crowd = this.#the;
    const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    lag.enable();
    let cpu = process.cpuUsage();
    let since = nowMs();
    const tick = (second: number): void => {
      const dueMs = startMs + (second + 1) * 1_000;
      this.#ticker = setTimeout(() => {
        const used = process.cpuUsage(cpu);
        const tookMs = nowMs() - since;
        cpu = process.cpuUsage();
        since = nowMs();
        tell({
          kind: 'second',
          second,
          counts: crowd.tally.take(),
          cpuCores: (used.user + used.system) / 1_000 / tookMs,
          rssBytes: process.memoryUsage.rss(),
          loopLagMs: Math.max(0, lag.max / NANOSECONDS_PER_MS - LAG_RESOLUTION_MS),
          lateMs: crowd.lateMs,
          waiting: crowd.waiting,
        });
        lag.reset();
        crowd.lateMs = 0;
        if (crowd.trouble !== undefined) tell({ kind: 'trouble', why: crowd.trouble });
        tick(second + 1);
      }, dueMs - nowMs());
    };
    tick(0);
    setTimeout(() => crowd.start(), startMs - nowMs());
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
