/** What is broken, in which order: every fault once in an order of chance, then all again in another one. */
import type { SeededRandom } from '@homeport/testkit';

export function* script<Fault>(random: SeededRandom, faults: readonly Fault[]): Generator<Fault, never> {
  for (;;) yield* shuffled(random, faults);
}

function shuffled<Item>(random: SeededRandom, items: readonly Item[]): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.int(rest.length), 1)[0]!);
}
