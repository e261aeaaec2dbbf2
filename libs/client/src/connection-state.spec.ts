import { LIMITS, type Hello } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { transition, TRANSITIONS, type ConnectionEvent, type ConnectionState } from './connection-state.js';

const hello: Hello = { node: { id: 'n', name: 'n', url: '' }, session: 's', user: 'u', protocol: 1, limits: LIMITS };
const why = { code: 'unavailable', message: '' } as const;

const STATES: ConnectionState[] = [
  { at: 'idle' },
  { at: 'fetching', attempt: 2 },
  { at: 'dialing', attempt: 2, token: 't' },
  { at: 'live', attempt: 2, hello },
  { at: 'waiting', attempt: 2, why, askedMs: 0 },
  { at: 'stopped', why },
  { at: 'closed' },
];
const EVENTS: ConnectionEvent[] = [
  { is: 'start' },
  { is: 'token', token: 't' },
  { is: 'token_failed', message: 'no' },
  { is: 'hello', hello },
  { is: 'refused', why, duty: 'retry', retryAfterMs: 0 },
  { is: 'lost', lastedMs: 0 },
  { is: 'overdue' },
  { is: 'silent', lastedMs: 0 },
  { is: 'elapsed' },
  { is: 'wake' },
  { is: 'redial' },
  { is: 'close' },
];

/** Where each event leads; all others stay. */
const LEADS: Record<ConnectionState['at'], Partial<Record<ConnectionEvent['is'], ConnectionState['at']>>> = {
  idle: { start: 'fetching', close: 'closed' },
  fetching: { token: 'dialing', token_failed: 'waiting', close: 'closed' },
  dialing: {
    hello: 'live',
    refused: 'waiting',
    lost: 'waiting',
    overdue: 'waiting',
    redial: 'fetching',
    close: 'closed',
  },
  live: { refused: 'waiting', lost: 'waiting', silent: 'waiting', redial: 'fetching', close: 'closed' },
  waiting: { elapsed: 'fetching', wake: 'fetching', redial: 'fetching', close: 'closed' },
  stopped: { close: 'closed' },
  closed: {},
};

describe('the transition table of the connection', () => {
  it('C8: has every state and every event, and no other', () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual(STATES.map(({ at }) => at).sort());
    for (const row of Object.values(TRANSITIONS)) {
      expect(Object.keys(row).sort()).toEqual(EVENTS.map(({ is }) => is).sort());
    }
  });

  for (const state of STATES) {
    for (const event of EVENTS) {
      const leads = LEADS[state.at][event.is];
      it(`${state.at} + ${event.is} ${leads === undefined ? 'changes nothing' : `leads to ${leads}`}`, () => {
        const next = transition(state, event);
        if (leads === undefined) expect(next).toBe(state);
        else expect(next.at).toBe(leads);
      });
    }
  }

  it('stops for good when the duty is to stop', () => {
    const refused = { is: 'refused', why, duty: 'stop', retryAfterMs: 0 } as const;
    expect(transition(STATES[2]!, refused)).toEqual({ at: 'stopped', why });
  });

  it('counts failures, and forgets them after a connection that lasted', () => {
    const live: ConnectionState = { at: 'live', attempt: 7, hello };
    expect(transition(live, { is: 'lost', lastedMs: 10 })).toMatchObject({ at: 'waiting', attempt: 8 });
    expect(transition(live, { is: 'lost', lastedMs: 60_000 })).toMatchObject({ at: 'waiting', attempt: 0 });
  });
});
