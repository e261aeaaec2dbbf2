import { Clock, type Cancel } from '@homeport/core';
import type { FakeClock } from '../fake-clock.js';
import type { SeededRandom } from '../seeded-random.js';

type Event = () => void;

/**
 * One process of a simulated world: all that happens to it comes as events, and between any two of them it may be
 * stopped for a while, or die. Its clock goes on while it is stopped.
 *
 *   running ── pause() ──> paused ── resume() ──> waking ── all that piled up is done ──> running      any ── kill() ──> dead
 */
export class SimProcess extends Clock {
  readonly #world: FakeClock;
  readonly #random: SeededRandom;
  readonly #rate: number;
  readonly #startMs: number;
  #state: 'running' | 'paused' | 'waking' | 'dead' = 'running';
  #timers: Event[] = [];
  #messages: Event[] = [];
  #eventsToLive = Infinity;
  #died: Event = () => {};

  constructor(world: FakeClock, random: SeededRandom, rate: number) {
    super();
    this.#world = world;
    this.#random = random;
    this.#rate = rate;
    this.#startMs = world.monotonicMs();
  }

  get state(): 'running' | 'paused' | 'waking' | 'dead' {
    return this.#state;
  }

  override monotonicMs(): number {
    return (this.#world.monotonicMs() - this.#startMs) * this.#rate;
  }

  override wallMs(): number {
    return this.#world.wallMs();
  }

  override after(delayMs: number, task: Event): Cancel {
    let isWanted = true;
    const cancel = this.#world.after(delayMs / this.#rate, () => this.#arrive(this.#timers, () => isWanted && task()));
    return () => {
      isWanted = false;
      cancel();
    };
  }

  /** Something comes in from outside. */
  receive(message: Event): void {
    this.#arrive(this.#messages, message);
  }

  /** The same port, as this process sees it: answers come as events, and to the dead they do not come. */
  around<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...values: unknown[]) => this.#hear(Promise.resolve(Reflect.apply(member, target, values)));
      },
    });
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** What piled up happens now, event by event: all timers first, or all that came in. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'waking';
    const piled = this.#random.chance(0.5) ? [this.#timers, this.#messages] : [this.#messages, this.#timers];
    this.#wake(piled);
  }

  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#died();
  }

  /** Dies before the event after the next `events`. */
  killAfter(events: number): void {
    this.#eventsToLive = events;
  }

  onDeath(died: Event): void {
    this.#died = died;
  }

  #hear<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => this.receive(() => resolve(value)),
        (error: unknown) => this.receive(() => reject(error as Error)),
      );
    });
  }

  #arrive(pile: Event[], event: Event): void {
    switch (this.#state) {
      case 'running':
        this.#happen(event);
        return;
      case 'paused':
      case 'waking':
        pile.push(event);
        return;
      case 'dead':
        return;
    }
  }

  #happen(event: Event): void {
    if (--this.#eventsToLive < 0) this.kill();
    else event();
  }

  #wake(piled: readonly Event[][]): void {
    if (this.#state !== 'waking') return;
    const event = piled.find((pile) => pile.length > 0)?.shift();
    if (event === undefined) {
      this.#state = 'running';
      return;
    }
    this.#happen(event);
    this.#world.after(0, () => this.#wake(piled));
  }
}
