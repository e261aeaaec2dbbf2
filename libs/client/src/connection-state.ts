/**
 * The connection as values: what state follows on what event. `connection.ts` has the effects.
 *
 *   idle ─start→ fetching ─token→ dialing ─hello→ live
 *                   │                │              │
 *                   └── token_failed ┴ lost, overdue┴ lost, silent ─→ waiting ─elapsed, wake→ fetching
 *
 * `attempt` counts the failures since the last connection that lasted; the wait before the next dial grows with it.
 * A refusal whose duty is to stop ends in `stopped`, `close` in `closed`; nothing leads out of these two.
 */
import type { Code, Duty, Hello } from '@homeport/protocol';

export interface Reason {
  readonly code: Code | 'token' | 'unreachable';
  readonly message: string;
}

export type ConnectionState =
  | { readonly at: 'idle' }
  /** A token is being fetched, or taken from memory. */
  | { readonly at: 'fetching'; readonly attempt: number }
  /** A socket was dialed and has not said hello. */
  | { readonly at: 'dialing'; readonly attempt: number; readonly token: string | undefined }
  | { readonly at: 'live'; readonly attempt: number; readonly hello: Hello }
  /** Until the next try; `askedMs`: not sooner, the server said. */
  | { readonly at: 'waiting'; readonly attempt: number; readonly why: Reason; readonly askedMs: number }
  | { readonly at: 'stopped'; readonly why: Reason }
  | { readonly at: 'closed' };

export type ConnectionEvent =
  | { readonly is: 'start' }
  | { readonly is: 'token'; readonly token: string | undefined }
  | { readonly is: 'token_failed'; readonly message: string }
  | { readonly is: 'hello'; readonly hello: Hello }
  /** The server refused this connection, or the token of it. */
  | { readonly is: 'refused'; readonly why: Reason; readonly duty: Duty; readonly retryAfterMs: number }
  /** `lasted`: how long it had been live; 0 if it was not. */
  | { readonly is: 'lost'; readonly lastedMs: number }
  /** No hello within the limit. */
  | { readonly is: 'overdue' }
  /** Something is unanswered and the server has said nothing for too long. */
  | { readonly is: 'silent'; readonly lastedMs: number }
  | { readonly is: 'elapsed' }
  /** The network came back, or somebody looks at the page again. */
  | { readonly is: 'wake' }
  /** Another session: dial again now. */
  | { readonly is: 'redial' }
  | { readonly is: 'close' };

type At = ConnectionState['at'];
type Is = ConnectionEvent['is'];
type StateAt<A extends At> = Extract<ConnectionState, { at: A }>;
type EventIs<I extends Is> = Extract<ConnectionEvent, { is: I }>;
type Table = { readonly [A in At]: { readonly [I in Is]: (state: StateAt<A>, event: EventIs<I>) => ConnectionState } };

/** A connection that lived this long was a good one: the next wait is short again. */
export const LASTING_MS = 5_000;

const UNREACHABLE: Reason = { code: 'unreachable', message: 'the server can not be reached' };
const SILENT: Reason = { code: 'unreachable', message: 'the server does not answer' };

const stay = (state: ConnectionState): ConnectionState => state;
const close = (): ConnectionState => ({ at: 'closed' });
const fetchAgain = ({ attempt }: { attempt: number }): ConnectionState => ({ at: 'fetching', attempt });
const fetchAtOnce = (): ConnectionState => ({ at: 'fetching', attempt: 0 });

function wait(attempt: number, why: Reason, askedMs = 0): ConnectionState {
  return { at: 'waiting', attempt: attempt + 1, why, askedMs };
}

function refused({ attempt }: { attempt: number }, event: EventIs<'refused'>): ConnectionState {
  const { why, duty, retryAfterMs } = event;
  switch (duty) {
    case 'retry':
    case 'resync':
    case 'reauthenticate':
      return wait(attempt, why, retryAfterMs);
    case 'fix':
    case 'stop':
      return { at: 'stopped', why };
  }
}

function ended(why: Reason) {
  return ({ attempt }: StateAt<'live'>, { lastedMs }: { lastedMs: number }): ConnectionState =>
    wait(lastedMs >= LASTING_MS ? -1 : attempt, why);
}

/** Every pair stands here, also those that should not come: a late event of an ended effect changes nothing. */
export const TRANSITIONS: Table = {
  idle: {
    start: fetchAtOnce,
    token: stay,
    token_failed: stay,
    hello: stay,
    refused: stay,
    lost: stay,
    overdue: stay,
    silent: stay,
    elapsed: stay,
    wake: stay,
    redial: stay,
    close,
  },
  fetching: {
    start: stay,
    token: ({ attempt }, { token }) => ({ at: 'dialing', attempt, token }),
    token_failed: ({ attempt }, { message }) => wait(attempt, { code: 'token', message }),
    hello: stay,
    refused: stay,
    lost: stay,
    overdue: stay,
    silent: stay,
    elapsed: stay,
    wake: stay,
    redial: stay,
    close,
  },
  dialing: {
    start: stay,
    token: stay,
    token_failed: stay,
    hello: ({ attempt }, { hello }) => ({ at: 'live', attempt, hello }),
    refused,
    lost: ({ attempt }) => wait(attempt, UNREACHABLE),
    overdue: ({ attempt }) => wait(attempt, SILENT),
    silent: stay,
    elapsed: stay,
    wake: stay,
    redial: fetchAgain,
    close,
  },
  live: {
    start: stay,
    token: stay,
    token_failed: stay,
    hello: stay,
    refused,
    lost: ended(UNREACHABLE),
    overdue: stay,
    silent: ended(SILENT),
    elapsed: stay,
    wake: stay,
    redial: fetchAgain,
    close,
  },
  waiting: {
    start: stay,
    token: stay,
    token_failed: stay,
    hello: stay,
    refused: stay,
    lost: stay,
    overdue: stay,
    silent: stay,
    elapsed: fetchAgain,
    wake: fetchAtOnce,
    redial: fetchAgain,
    close,
  },
  stopped: {
    start: stay,
    token: stay,
    token_failed: stay,
    hello: stay,
    refused: stay,
    lost: stay,
    overdue: stay,
    silent: stay,
    elapsed: stay,
    wake: stay,
    redial: stay,
    close,
  },
  closed: {
    start: stay,
    token: stay,
    token_failed: stay,
    hello: stay,
    refused: stay,
    lost: stay,
    overdue: stay,
    silent: stay,
    elapsed: stay,
    wake: stay,
    redial: stay,
    close: stay,
  },
};

export function transition(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  const cell = TRANSITIONS[state.at][event.is] as (state: ConnectionState, event: ConnectionEvent) => ConnectionState;
  return cell(state, event);
}
