import { describe, expect, it } from 'vitest';
import { stagedView } from '../test/staged-view.js';
import type { Answer } from './ask.js';
import { Round } from './round.js';

const HOME = 'http://one';
const rows = ['one', 'two', 'three'].map((name) => ({ name, url: `http://${name}/`, state: 'up' as const }));
const seen: Answer = { kind: 'view', view: stagedView(rows) };
const silent: Answer = { kind: 'silent' };

/** Asks once at a time; the nodes that are named are silent. */
function asked(round: Round, nowMs: number, ...silentOnes: string[]): string {
  const place = round.next(nowMs);
  round.heard(place, silentOnes.includes(place.url) ? silent : seen, nowMs);
  return place.url;
}

describe('whom to ask', () => {
  it('the node that served the page, for as long as it answers, and by its name once it is known', () => {
    const round = new Round(HOME);
    expect(round.next(0)).toEqual({ url: HOME, name: undefined });
    expect([asked(round, 0), asked(round, 500)]).toEqual([HOME, HOME]);
    expect(round.next(1_000)).toEqual({ url: HOME, name: 'one' });
    expect(new Round(HOME, 'two').next(0)).toEqual({ url: HOME, name: 'two' });
  });

  it('another one while it is silent, and it again after a while', () => {
    const round = new Round(HOME);
    asked(round, 0);
    const places = [1_000, 1_000, 1_500, 5_999, 6_000, 6_500].map((nowMs) => asked(round, nowMs, HOME));
    expect(places).toEqual([HOME, 'http://two', 'http://two', 'http://two', HOME, 'http://two']);
    expect(round.isHomeSilent).toBe(true);
    expect(asked(round, 12_000)).toBe(HOME);
    expect(round.isHomeSilent).toBe(false);
  });

  it('each in turn when all are silent, and nobody who is dead', () => {
    const round = new Round(HOME);
    const dead = rows.map((row) => ({ ...row, state: row.name === 'two' ? ('dead' as const) : row.state }));
    round.heard(round.next(0), { kind: 'view', view: stagedView(dead) }, 0);
    const all = [HOME, 'http://three'];
    const places = [1_000, 1_100, 1_200, 1_300].map((nowMs) => asked(round, nowMs, ...all));
    expect(places).toEqual([...all, ...all]);
    expect(round.hasUntried).toBe(false);
  });
});
