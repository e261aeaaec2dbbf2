import type { PresenceState } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../test/fake-clock.js';
import { Presence, PRESENCE_EVERY_MS, PRESENCE_REFRESH_MS, PRESENCE_SILENCE_MS } from './presence.js';

const state = (x: number, channel = 1): PresenceState => ({ user: 'bob', channel, state: { x } });

describe('presence', () => {
  let clock: FakeClock;
  let presence: Presence;
  let sent: unknown[];

  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    presence = new Presence(
      { clock, session: () => 'me', send: (own) => void sent.push(own), onThrow: () => undefined },
      { name: 'Ada' },
    );
  });

  const hear = (sessions: Record<string, PresenceState | null>, full = false): void =>
    presence.receive({ document: 'd', full, sessions });

  it('sends what it has at every open, and nothing in between', () => {
    presence.set({ x: 1 });
    expect(sent).toEqual([]);
    presence.opened();
    presence.away();
    presence.opened();
    expect(sent).toEqual([
      { name: 'Ada', x: 1 },
      { name: 'Ada', x: 1 },
    ]);
  });

  it('sends at most about 30 states a second, the latest one last', async () => {
    presence.opened();
    for (let x = 0; x < 1_000; x++) {
      presence.set({ x });
      await clock.advance(1);
    }
    await clock.advance(PRESENCE_EVERY_MS);
    expect(sent.length).toBeLessThanOrEqual(33);
    expect(sent.at(-1)).toEqual({ name: 'Ada', x: 999 });
  });

  it('refreshes every 5 s, and not after it was cleared', async () => {
    presence.opened();
    await clock.advance(2 * PRESENCE_REFRESH_MS);
    expect(sent.length).toBe(3);
    presence.clear();
    await clock.advance(10 * PRESENCE_REFRESH_MS);
    expect(sent.slice(3)).toEqual([null]);
  });

  it('shows the others, and never itself', () => {
    hear({ me: state(1), bob: state(2) }, true);
    expect([...presence.others]).toEqual([['bob', { user: 'bob', state: { x: 2 } }]]);
    const before = presence.others;
    expect(presence.others).toBe(before);
    hear({ bob: null });
    expect(presence.others.size).toBe(0);
    expect(before.size).toBe(1);
  });

  it('drops whom a full frame does not name, and who was silent for 15 s', async () => {
    hear({ bob: state(1), eve: state(1) });
    hear({ bob: state(2) }, true);
    expect([...presence.others.keys()]).toEqual(['bob']);
    await clock.advance(PRESENCE_SILENCE_MS - 1);
    expect(presence.others.size).toBe(1);
    await clock.advance(1);
    expect(presence.others.size).toBe(0);
  });

  it('ignores a late word of an older channel', () => {
    hear({ bob: state(2, 2) });
    hear({ bob: state(1, 1) });
    expect(presence.others.get('bob')?.state).toEqual({ x: 2 });
  });

  it('believes a full frame, also where a new server counts channels from the beginning', () => {
    hear({ bob: state(1, 9) });
    hear({ bob: state(2, 1) }, true);
    hear({ bob: state(3, 1) });
    expect(presence.others.get('bob')?.state).toEqual({ x: 3 });
  });

  it('tells who subscribed, until they leave', () => {
    const seen: number[] = [];
    const off = presence.subscribe((others) => seen.push(others.size));
    hear({ bob: state(1) });
    off();
    hear({ bob: null });
    expect(seen).toEqual([1]);
  });
});
