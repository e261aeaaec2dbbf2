import type { Condition, Op } from '@homeport/protocol';
import type { SeededRandom } from '../seeded-random.js';
import type { Fold } from './witness.js';

/** A value with this field is refused by the database, whoever sends it. */
export const POISON = 'poison';
const KEYS = ['k1', 'k2', 'k3', 'k4', 'k5'];
const HEAVY_KEYS = [...KEYS, 'k6', 'k7', 'k8', 'k9', 'k10'];
/** In UTF-8 three times as many bytes: a record may hold this, and five of them are more than a message between nodes. */
const HEAVY_CHARS = 38_000;

/** Makes up what a client writes: ops of every kind on a few keys, no two alike. */
export class SimWriter {
  readonly #session: string;
  readonly #random: SeededRandom;
  readonly #isHeavy: boolean;
  #written = 0;

  constructor(session: string, random: SeededRandom, isHeavy: boolean) {
    this.#session = session;
    this.#random = random;
    this.#isHeavy = isHeavy;
  }

  someOps(copy: Fold): Op[] {
    const count = this.#random.chance(0.8) ? 1 : 2;
    return Array.from({ length: count }, () => this.#someOp(copy, count === 1));
  }

  #someOp(copy: Fold, mayAsk: boolean): Op {
    const random = this.#random;
    const key = random.pick(this.#isHeavy ? HEAVY_KEYS : KEYS);
    const text = this.#isHeavy && random.chance(0.8) ? { text: '界'.repeat(HEAVY_CHARS) } : {};
    const value = { n: ++this.#written, by: this.#session, list: [], ...text };
    if (random.chance(0.02)) return { op: 'put', key, value: { ...value, [POISON]: true } };
    const when = mayAsk && random.chance(0.3) ? { if: this.#someCondition(copy, key) } : {};
    switch (random.int(6)) {
      case 0:
      case 1:
        return { op: 'put', key, value, ...when };
      case 2:
        return { op: 'patch', key, set: { by: this.#session, m: this.#written }, unset: ['x'], ...when };
      case 3:
        return { op: 'delete', key, ...when };
      case 4:
        return { op: 'append', key, field: 'list', values: [this.#written], ...when };
      default:
        return { op: 'increment', key, field: 'n', by: 1, ...when };
    }
  }

  #someCondition(copy: Fold, key: string): Condition {
    const seq = copy.records.get(key)?.seq;
    if (seq !== undefined && this.#random.chance(0.5)) return { seq };
    return this.#random.chance(0.5) ? { absent: true } : { exists: true };
  }
}
