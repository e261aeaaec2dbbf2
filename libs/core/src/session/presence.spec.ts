import { FakeClock, RecordingFanOut } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { Presence } from './presence.js';

describe('Presence', () => {
  it('the first change leaves at once; those of the interval leave together, the latest of each session', async () => {
    const { clock, presence, sent } = bench();
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: { x: 1 } });
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: { x: 2 } });
    presence.show('board', { session: 's2', user: 'bob', channel: 2, state: { x: 5 } });
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: { x: 3 } });
    expect(sent()).toHaveLength(1);
    await clock.advance(33);
    expect(sent()).toEqual([
      { s1: { user: 'ada', channel: 1, state: { x: 1 } } },
      { s1: { user: 'ada', channel: 1, state: { x: 3 } }, s2: { user: 'bob', channel: 2, state: { x: 5 } } },
    ]);
    await clock.advance(1_000);
    expect(sent()).toHaveLength(2);
  });

  it('a late word or close of an older channel changes nothing', async () => {
    const { clock, presence, sent } = bench();
    presence.show('board', { session: 's1', user: 'ada', channel: 2, state: { x: 'new' } });
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: { x: 'old' } });
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: null });
    await clock.advance(100);
    expect(presence.full('board').sessions).toEqual({ s1: { user: 'ada', channel: 2, state: { x: 'new' } } });
    expect(sent()).toHaveLength(1);
    presence.show('board', { session: 's1', user: 'ada', channel: 2, state: null });
    expect(sent().at(-1)).toEqual({ s1: null });
    expect(presence.full('board')).toEqual({ document: 'board', full: true, sessions: {} });
  });

  it('a session that is not heard of for 15 s is gone, and an empty document costs nothing', async () => {
    const { clock, presence, sent } = bench();
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: { x: 1 } });
    await clock.advance(10_000);
    presence.show('board', { session: 's2', user: 'bob', channel: 2, state: { x: 1 } });
    await clock.advance(6_000);
    presence.tick(() => true);
    expect(sent().at(-1)).toEqual({ s1: null });
    expect(Object.keys(presence.full('board').sessions)).toEqual(['s2']);
    await clock.advance(16_000);
    presence.tick(() => true);
    await clock.advance(100);
    presence.tick(() => true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('P1: what a node relayed goes with the node, and what is shown here or by others stays', async () => {
    const { clock, presence, sent } = bench();
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: {} }, 'dead.1');
    presence.show('board', { session: 's2', user: 'bob', channel: 2, state: {} }, 'living.1');
    presence.show('board', { session: 's3', user: 'eve', channel: 3, state: {} });
    await clock.advance(100);
    presence.tick((node) => node === 'living.1');
    expect(Object.keys(presence.full('board').sessions)).toEqual(['s2', 's3']);
    expect(sent().at(-1)).toEqual({ s1: null });
  });

  it('P1: relays that ask within one interval share one answer, as it is at its end', async () => {
    const { clock, presence, relays, published } = bench();
    relays.add('board');
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: {} });
    for (let n = 0; n < 50; n++) presence.publish('board');
    presence.publish('elsewhere');
    presence.show('board', { session: 's2', user: 'bob', channel: 2, state: {} });
    await clock.advance(33);
    const full = () => published().filter((frame) => frame?.full);
    expect(full()).toEqual([presence.full('board')]);
    presence.publish('board');
    await clock.advance(33);
    expect(full()).toHaveLength(2);
  });

  it('null clears', () => {
    const { presence } = bench();
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: { x: 1 } });
    presence.show('board', { session: 's1', user: 'ada', channel: 1, state: null });
    presence.show('elsewhere', { session: 's1', user: 'ada', channel: 1, state: null });
    expect(presence.full('board').sessions).toEqual({});
  });
});

function bench() {
  const clock = new FakeClock();
  const fanOut = new RecordingFanOut();
  const sent = () =>
    fanOut.delivered.map(({ message }) => (message.event === 'presence' ? message.payload.sessions : undefined));
  const published = () =>
    fanOut.published.map(({ message }) => (message.event === 'presence' ? message.payload : undefined));
  const relays = new Set<string>();
  const presence = new Presence(fanOut, clock, (document) => relays.has(document));
  return { clock, presence, sent, relays, published };
}
