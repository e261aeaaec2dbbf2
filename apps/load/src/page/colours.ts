import type { Colour } from './plot.js';

const PALETTE: readonly Colour[] = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];

/** A colour for each name, in the order in which they are first seen: the same in every plot that shows the name. */
export class Colours {
  readonly #names = new Map<string, Colour>();

  of(name: string): Colour {
    const known = this.#names.get(name);
    if (known) return known;
    const colour = PALETTE[this.#names.size % PALETTE.length]!;
    this.#names.set(name, colour);
    return colour;
  }
}
