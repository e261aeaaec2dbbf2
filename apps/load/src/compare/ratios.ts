/** Ratios are made within each round: from one round to the next the machine's speed drifts, within one it hardly does. */
import { figureOf, ratioOf } from '../measuring/figures.js';
import type { ComparedWork } from './compare-result.js';
import type { Pairing } from './work.js';

/** Of those pairs of which both systems were measured. */
export function ratiosOf(values: ComparedWork['values'], pairings: readonly Pairing[]): ComparedWork['ratios'] {
  return pairings.flatMap(({ of, over, target }) => {
    const [upper, lower] = [figureOf(values[of] ?? []), figureOf(values[over] ?? [])];
    const ratio = ratioOf(upper, lower);
    if (upper === undefined || lower === undefined || ratio === undefined) return [];
    const { median, min, max } = ratio;
    if (target === undefined) return [{ of, over, median, min, max }];
    const reached = target.isReached({ ratio: median, of: upper.median, over: lower.median });
    return [{ of, over, median, min, max, target: { says: target.says, reached } }];
  });
}
