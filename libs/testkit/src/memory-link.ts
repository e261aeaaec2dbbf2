/**
 * One process's way to the database, and everything that can go wrong on it.
 *
 * A statement travels, runs, and its answer travels back. A link that is cut (its process died) hears nothing any more;
 * what it had sent before may still arrive and run. A statement whose answer does not come is given up after
 * `deadlineMs`, and may be running all the while.
 */
import { pause } from '@homeport/core';
import { ServerGone, type MemoryDatabase } from './memory-database.js';

export type Fault =
  /** The server answers with an error; nothing is written. */
  | 'error'
  /** The connection breaks on the way there: nothing runs, no answer comes. */
  | 'requestLost'
  /** The statement runs, or is still running, and no answer comes. */
  | 'answerLost';

export type Operation =
  | 'timeline'
  | 'append'
  | 'load'
  | 'entries'
  | 'checkpoint'
  | 'nodes'
  | 'slots'
  | 'handOff'
  | 'drain'
  | 'join'
  | 'renew'
  | 'isLockFree'
  | 'takeOver'
  | 'raise'
  | 'leave'
  | 'revoke'
  | 'revocations';

/** How a statement ended without an answer to its question. */
export class StatementFailed extends Error {
  constructor(
    /** `refused`: the server said no, nothing was written. `unanswered`: nothing is known. */
    readonly end: 'refused' | 'unanswered',
    message: string,
  ) {
    super(message);
  }
}

/** Which statements will go wrong: those that were named beforehand, and some by chance. */
export class FaultPlan {
  readonly #next: { readonly operation: Operation; readonly fault: Fault }[] = [];
  /** Probability of each fault, for every statement. */
  rates: { readonly [fault in Fault]?: number } = {};

  /** The next statement of that kind goes wrong; called twice, the next two do. */
  failNext(operation: Operation, fault: Fault): void {
    this.#next.push({ operation, fault });
  }

  draw(operation: Operation, chance: (probability: number) => boolean): Fault | undefined {
    const planned = this.#next.findIndex((next) => next.operation === operation);
    if (planned >= 0) return this.#next.splice(planned, 1)[0]?.fault;
    return (['error', 'requestLost', 'answerLost'] as const).find((fault) => chance(this.rates[fault] ?? 0));
  }
}

export interface MemoryLinkSettings {
  readonly latencyLowMs: number;
  readonly latencyHighMs: number;
  readonly deadlineMs: number;
}

export class MemoryLink {
  readonly faults: FaultPlan;
  readonly #settings: MemoryLinkSettings;
  #cut = false;
  #held: string | undefined;
  #broken: () => void = () => {};

  /** `arrive`: how what comes in reaches the process, which may be stopped. */
  constructor(
    readonly database: MemoryDatabase,
    faults: FaultPlan = new FaultPlan(),
    settings: Partial<MemoryLinkSettings> = {},
    private readonly arrive: (event: () => void) => void = (event) => event(),
  ) {
    this.faults = faults;
    this.#settings = { latencyLowMs: 0.1, latencyHighMs: 2, deadlineMs: 6_000, ...settings };
  }

  /** `broken` is called whenever the connection that holds the lock has ended. */
  watch(broken: () => void): void {
    this.#broken = broken;
  }

  /** The connection that holds the lock ends; the others go on. */
  breakLease(): void {
    if (this.#held === undefined || this.#cut) return;
    this.release();
    this.arrive(this.#broken);
  }

  /** The process died. The server sees its connections close, and frees what they held. */
  cut(): void {
    this.#cut = true;
    if (this.#held !== undefined) this.database.advisoryLocks.delete(this.#held);
  }

  /** Holds a node's advisory lock for as long as this link, and the server, live. */
  hold(nodeId: string): void {
    if (this.#cut) return;
    this.#held = nodeId;
    this.database.advisoryLocks.set(nodeId, () => this.breakLease());
  }

  release(): void {
    if (this.#held !== undefined) this.database.advisoryLocks.delete(this.#held);
    this.#held = undefined;
  }

  /** Rejects with `StatementFailed`; stays without an end once the link is cut. */
  send<T>(operation: Operation, statement: () => Promise<T>): Promise<T> {
    const { clock } = this.database;
    return new Promise<T>((resolve, reject) => {
      const end = (tell: () => void): void => {
        cancelDeadline();
        if (!this.#cut) tell();
      };
      const fail = (how: 'refused' | 'unanswered', why: string): void =>
        end(() => reject(new StatementFailed(how, why)));
      const cancelDeadline = clock.after(this.#settings.deadlineMs, () =>
        fail('unanswered', `no answer in ${this.#settings.deadlineMs} ms`),
      );
      this.#travel(operation, statement).then(
        (value) => end(() => resolve(value)),
        (error: unknown) => {
          if (error instanceof StatementFailed) fail(error.end, error.message);
          else if (error instanceof ServerGone) fail('unanswered', error.message);
          else end(() => reject(error as Error));
        },
      );
    });
  }

  async #travel<T>(operation: Operation, statement: () => Promise<T>): Promise<T> {
    const { random } = this.database;
    const fault = this.faults.draw(operation, (probability) => random.chance(probability));
    await this.#latency();
    if (!this.database.isReachable) throw new StatementFailed('refused', 'the connection was refused');
    // A process that dies while its statement is on the way: the network may have it, or not.
    if (fault === 'requestLost' || (this.#cut && random.chance(0.5))) return this.#silence();
    if (fault === 'error') {
      await this.#latency();
      throw new StatementFailed('refused', 'the server answered with an error');
    }
    const running = statement();
    if (fault === 'answerLost') {
      running.catch(() => {}); // its end is not known to anybody
      return this.#silence();
    }
    const value = await running;
    await this.#latency();
    return value;
  }

  /** The connection is found broken soon, perhaps before the statement has ended, or only by the deadline. */
  async #silence(): Promise<never> {
    const { clock, random } = this.database;
    if (random.chance(0.5)) return new Promise<never>(() => {});
    await pause(clock, random.between(0, 5));
    throw new StatementFailed('unanswered', 'the connection was lost');
  }

  #latency(): Promise<void> {
    const { clock, random } = this.database;
    return pause(clock, random.between(this.#settings.latencyLowMs, this.#settings.latencyHighMs));
  }
}
