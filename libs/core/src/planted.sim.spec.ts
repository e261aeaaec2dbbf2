/** The simulation is worth what it finds: each of these known bugs must turn it red, with the rule that it breaks. */
import { PLANTED_BUGS, SimFailure, simulate } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';

const SEEDS_MAX = 300;

describe('The simulation notices', () => {
  for (const { bug, rules, planted } of PLANTED_BUGS)
    it(`${bug}`, async () => {
      for (let seed = 1; seed <= SEEDS_MAX; seed++) {
        const failure = await simulate(seed, planted()).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure === undefined) continue;
        expect(failure).toBeInstanceOf(SimFailure);
        expect((failure as SimFailure).message).toMatch(rules);
        return;
      }
      expect.fail(`${SEEDS_MAX} seeds, and nothing was noticed`);
    }, 120_000);
});
