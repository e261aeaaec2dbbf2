/** As many as can be told apart; they carry white or dark text in both themes. */
const PALETTE = ['#5b6ee1', '#18a594', '#e2953a', '#d9607a', '#4aa3df', '#8aa83a', '#a566c9', '#c98a6b'];

/** A colour for each node name. It stays with the name: a node that was restarted comes back in its colour. */
export class Colours {
  readonly #taken: string[] = [];

  /** Names are given colours in the order in which they are first seen. */
  of(name: string): string {
    if (!this.#taken.includes(name)) this.#taken.push(name);
    return PALETTE[this.#taken.indexOf(name) % PALETTE.length]!;
  }
}
