import { Random } from '@homeport/core';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Chance that can be played again: the same seed gives the same draws. (The generator is mulberry32.) */
export class SeededRandom extends Random {
  #state: number;

  constructor(readonly seed: number) {
    super();
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  id(): string {
    return Array.from({ length: 20 }, () => LETTERS[this.int(LETTERS.length)]).join('');
  }

  /** A whole number in [0, below). */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('there is nothing to pick from');
    return items[this.int(items.length)] as T;
  }
}
