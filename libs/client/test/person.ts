/** One who writes at random, and remembers what became of each write. */
import { HomeportError, type Board, type Client, type Committed } from '../src/index.js';
import type { SeededRandom } from './seeded-random.js';

type Outcome = { readonly is: 'open' } | { readonly is: 'ok'; readonly seq: number } | { readonly is: string };

export interface Write {
  readonly token: string;
  /** What it adds to one's own counter. */
  readonly by: number;
  /** Nothing that is written later takes its token out of its push. */
  readonly lasting: boolean;
  outcome: Outcome;
}

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

export class Person {
  readonly writes: Write[] = [];
  readonly client: Client;
  readonly name: string;
  board!: Board;
  position = 0;
  readonly merges: boolean;
  #made = 0;

  constructor(name: string, client: Client, merges: boolean) {
    this.merges = merges;
    this.name = name;
    this.client = client;
  }

  /** What one's own counter shows, and what it may show: all that was acknowledged, and what is pending on top. */
  counted(): { shown: number; acked: number; least: number; most: number } {
    const counters = this.board.get('counters') as Record<string, number> | undefined;
    const sum = (...outcomes: string[]): number =>
      this.writes.reduce((total, { by, outcome }) => (outcomes.includes(outcome.is) ? total + by : total), 0);
    const [acked, most] = [sum('ok'), sum('ok', 'open')];
    // A write that was merged is hidden while another one of its push could not be accepted; one that stands alone never.
    return { shown: counters?.[this.name] ?? 0, acked, least: this.merges ? acked : most, most };
  }

  write(random: SeededRandom): void {
    const { board } = this;
    const token = `${this.name}-${this.#made++}`;
    const key = random.pick(KEYS);
    const by = 1 + random.below(5);
    switch (random.below(9)) {
      case 0:
        return this.#note(token, 0, board.put(key, { token, n: 0 }));
      case 1:
        return this.#note(
          token,
          0,
          board.patch(key, { [random.pick(['x', 'y'])]: token }, { unset: random.chance(0.2) ? ['n'] : [] }),
        );
      case 2:
        return this.#note(token, 0, board.delete(key));
      case 3:
        return this.#note(token, 0, board.append('tokens', 'all', [token]), true);
      case 4:
        return this.#note(
          token,
          0,
          board.put(key, token, { if: random.chance(0.5) ? { absent: true } : { exists: true } }),
        );
      case 5: {
        const seq = board.records().get(key)?.seq ?? 1;
        return this.#note(token, 0, board.patch(key, { if: token }, { if: { seq } }));
      }
      case 6:
        return this.#note(
          token,
          0,
          board.push((tx) => {
            tx.append('tokens', 'all', [token]);
            tx.put(key, { token });
            tx.increment(random.pick(KEYS), 'n', 1, random.chance(0.3) ? { if: { exists: true } } : {});
          }),
          true,
        );
      case 7:
        return this.#note(token, 0, board.increment(key, 'n', by));
      default:
        if (this.merges) return this.#note(token, by, board.increment('counters', this.name, by));
        return this.#note(
          token,
          by,
          board.push((tx) => tx.increment('counters', this.name, by)),
        );
    }
  }

  #note(token: string, by: number, promise: Promise<Committed>, lasting = false): void {
    const write: Write = { token, by, lasting, outcome: { is: 'open' } };
    this.writes.push(write);
    promise.then(
      ({ position }) => (write.outcome = { is: 'ok', seq: position.seq }),
      (error: unknown) => {
        if (!(error instanceof HomeportError)) throw error;
        write.outcome = { is: error.code };
      },
    );
  }
}
