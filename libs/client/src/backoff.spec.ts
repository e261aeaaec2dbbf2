import { describe, expect, it } from 'vitest';
import { ASKED_WAIT_MS_MAX, askedWaitMs, backoffMs } from './backoff.js';

describe('the backoff', () => {
  const least = { next: () => 0, id: () => '' };
  const most = { next: () => 0.999999, id: () => '' };

  it('is short once, grows from 250 ms to 2 s, after ten failures to 30 s, and half of it is chance', () => {
    expect([0, 1, 2, 3, 4, 5, 9].map((attempt) => Math.round(backoffMs(attempt, most)))).toEqual([
      100, 250, 500, 1000, 2000, 2000, 2000,
    ]);
    expect([10, 11, 12, 13, 50].map((attempt) => Math.round(backoffMs(attempt, most)))).toEqual([
      4000, 8000, 16000, 30000, 30000,
    ]);
    expect([0, 1].map((attempt) => backoffMs(attempt, least))).toEqual([50, 125]);
  });

  it('heeds what a server asks for, within bounds', () => {
    expect([0, 300, -5, 1e12, Infinity, NaN].map(askedWaitMs)).toEqual([
      0,
      300,
      0,
      ASKED_WAIT_MS_MAX,
      ASKED_WAIT_MS_MAX,
      0,
    ]);
  });
});
