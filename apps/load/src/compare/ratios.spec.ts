import { describe, expect, it } from 'vitest';
import { ratiosOf } from './ratios.js';
import { atMostMore, ratioAtLeast, ratioAtMost, valueAtMost } from './work.js';

describe('ratios', () => {
  it('are made within each round, not of medians', () => {
    const values = { homeport: [10, 20, 90], echo: [10, 40, 60] };
    const [ratio] = ratiosOf(values, [{ of: 'homeport', over: 'echo' }]);
    expect(ratio).toEqual({ of: 'homeport', over: 'echo', median: 1, min: 0.5, max: 1.5 });
  });

  it('leave out a round that only one of both played, and a comparison that lacks one', () => {
    const values = { homeport: [10], echo: [20, 40] };
    const pairings = [
      { of: 'homeport', over: 'echo' },
      { of: 'homeport', over: 'stateless' },
    ] as const;
    expect(ratiosOf(values, pairings)).toEqual([{ of: 'homeport', over: 'echo', median: 0.5, min: 0.5, max: 0.5 }]);
  });

  it.each([
    ['a ratio that must be high', ratioAtLeast(0.5), true],
    ['a ratio that must be higher', ratioAtLeast(0.51), false],
    ['a ratio that must be low', ratioAtMost(0.5), true],
    ['a ratio that must be lower', ratioAtMost(0.49), false],
    ['a value', valueAtMost(10, 'ms'), true],
    ['a lower value', valueAtMost(9, 'ms'), false],
    ['a difference', atMostMore(-10, 'ms'), true],
    ['a smaller difference', atMostMore(-11, 'ms'), false],
  ])('say whether a target is reached: %s', (_, target, reached) => {
    const [ratio] = ratiosOf({ relayed: [10, 10], pinned: [20, 20] }, [{ of: 'relayed', over: 'pinned', target }]);
    expect(ratio?.target).toEqual({ says: target.says, reached });
  });
});
