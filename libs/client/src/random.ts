/** Chance as an argument, so that a test can be played again from its seed. */
export interface Random {
  /** Evenly spread in [0, 1). */
  next(): number;
  /** An id that nobody else has. */
  id(): string;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  // `randomUUID` exists only in secure contexts; `getRandomValues` also on a page that came over plain http.
  id: () =>
    globalThis.crypto.randomUUID?.() ??
    [...globalThis.crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join(''),
};
