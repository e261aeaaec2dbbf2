/** Chance as an argument, so that a simulation can be played again from its seed. */
export abstract class Random {
  /** Evenly spread in [0, 1). */
  abstract next(): number;
  /** An id that nobody else has: at least 96 bits of chance in [a-z0-9]. */
  abstract id(): string;
}
