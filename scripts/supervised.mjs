/**
 * A process that is kept running.
 *
 *   down ── start() ──> running ── it ended badly ──> pausing ── the pause is over ──> running
 *                          ├── it ended with 0 ──> down: somebody stopped it, and meant it
 *                          └── stop() ──> stopping ──> down
 *
 * The pause doubles for as long as the process ends soon after its start, so that one that can not run costs little.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const PAUSES = { firstMs: 250, maxMs: 8_000, steadyMs: 10_000 };

export class Supervised {
  #command;
  #listener;
  #pauses;
  #child;
  #timer;
  #pauseMs;
  #isStopping = false;
  #ended = Promise.resolve({ code: 0, signal: null });

  constructor(command, listener, pauses = PAUSES) {
    this.#command = command;
    this.#listener = listener;
    this.#pauses = pauses;
    this.#pauseMs = pauses.firstMs;
  }

  get pid() {
    return this.#child?.pid;
  }

  start() {
    const { file, args, env } = this.#command;
    const startedMs = performance.now();
    // A group of its own: a Ctrl-C in the terminal is for who supervises, who then stops one after the other.
    const child = spawn(file, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const name of ['stdout', 'stderr'])
      createInterface({ input: child[name] }).on('line', (line) => this.#listener.said(line, name));
    this.#ended = new Promise((ended) => {
      child.on('error', (error) => {
        this.#listener.said(error.message, 'stderr');
        if (child.pid === undefined) ended({ code: 127, signal: null });
      });
      // `close`, not `exit`: the last lines of its output have arrived by then.
      child.on('close', (code, signal) => ended({ code, signal }));
    });
    void this.#ended.then((exit) => this.#reaped(exit, performance.now() - startedMs));
  }

  /** SIGTERM, or no further start. Resolves when the process is gone; one that is not within the grace is killed. */
  async stop(graceMs) {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGTERM');
    const overrun = setTimeout(() => this.kill('SIGKILL'), graceMs);
    const exit = await this.#ended;
    clearTimeout(overrun);
    return exit;
  }

  kill(signal) {
    this.#child?.kill(signal);
  }

  #reaped(exit, livedMs) {
    this.#child = undefined;
    if (this.#isStopping || exit.code === 0) return this.#listener.ended(exit, undefined);
    const { firstMs, maxMs, steadyMs } = this.#pauses;
    if (livedMs >= steadyMs) this.#pauseMs = firstMs;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, maxMs);
    this.#timer = setTimeout(() => this.start(), pauseMs);
    this.#listener.ended(exit, pauseMs);
  }
}
