import type { Cancel } from './clock.js';

/** Those who listen to one thing. A listener that throws is told to `onThrow` and stops nobody else. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>();
  readonly #onThrow: (error: unknown) => void;

  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: (event: Event) => void): Cancel {
    // Wrapped, so that the same function added twice is two listeners.
    const own = (event: Event): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  emit(event: Event): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(event);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }
}
