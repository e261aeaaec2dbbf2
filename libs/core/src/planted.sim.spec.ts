/** The simulation is worth what it finds: each of these known bugs must turn it red, with the rule that it breaks. */
import { PLANTED_BUGS, SimFailure, simulate } from '@homeport/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SessionMarks } from './document/session-marks.js';

const SEEDS_MAX = 300;

type Judge = typeof SessionMarks.prototype.judge;
const judge = SessionMarks.prototype.judge;

function plantJudge(judging: Judge) {
  vi.spyOn(SessionMarks.prototype, 'judge').mockImplementation(judging);
  return {};
}

/** Those of the core itself; the others stand between it and its ports. */
const BUGS_OF_CORE: typeof PLANTED_BUGS = [
  {
    bug: 'no dedupe',
    rules: /W5 at|W4 at/,
    planted: () => plantJudge(() => ({ kind: 'evaluate' })),
  },
  {
    bug: 'dedupe that is blind to pending pushes',
    rules: /W5 at/,
    planted: () =>
      plantJudge(function (this: SessionMarks<unknown>, ...asked) {
        const judgement = judge.apply(this, asked);
        return judgement.kind === 'waiting' ? { kind: 'evaluate' } : judgement;
      }),
  },
];

describe('The simulation notices', () => {
  afterEach(() => void vi.restoreAllMocks());

  for (const { bug, rules, planted } of [...PLANTED_BUGS, ...BUGS_OF_CORE])
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
