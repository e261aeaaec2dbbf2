/**
 * The way to one address: one socket at a time, dialed again whenever it is lost. What follows on what is decided in
 * `connection-state.ts`; here are the effects. Each state owns its effects (a token fetch, a socket, a timer): they
 * end when the state is left, and what they say later is not heard, because it comes from a state that is not the
 * present one. A late close of an old socket can therefore not end a new one.
 */
import { DUTIES, PROTOCOL_VERSION, type Code, type Hello, type NodeRef, type SessionId } from '@homeport/protocol';
import { askedWaitMs, backoffMs } from './backoff.js';
import { Channel } from './channel.js';
import type { Cancel, Clock } from './clock.js';
import { transition, type ConnectionEvent, type ConnectionState, type Reason } from './connection-state.js';
import type { DialedSocket, Dialer } from './dialer.js';
import type { Random } from './random.js';
import type { Tokens } from './tokens.js';

export const HELLO_MS = 1_000;
/** So many dials in vain, and the address counts as out of reach. It is dialed on, for it may come back. */
export const DIALS_MAX = 3;

export interface Address {
  readonly url: string;
  /** The node that is wanted there: many nodes may share one public address. */
  readonly node?: string;
}

export interface ConnectionPort {
  readonly clock: Clock;
  readonly random: Random;
  readonly dialer: Dialer;
  readonly tokens: Tokens;
  /** Asked at every dial. */
  session(): SessionId;
  changed(state: ConnectionState): void;
  opened(channel: Channel): void;
  received(channel: Channel, event: string, payload: unknown): void;
  ended(channel: Channel): void;
}

export class Connection {
  readonly address: Address;
  readonly #port: ConnectionPort;
  #state: ConnectionState = { at: 'idle' };
  #socket: DialedSocket | undefined;
  #channel: { readonly channel: Channel; readonly sinceMs: number; readonly stopRenewing: Cancel } | undefined;
  #timer: Cancel | undefined;
  #node: NodeRef | undefined;

  constructor(address: Address, port: ConnectionPort) {
    this.address = address;
    this.#port = port;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** While it is live. */
  get channel(): Channel | undefined {
    return this.#channel?.channel;
  }

  /** The node that said hello last. */
  get node(): NodeRef | undefined {
    return this.#node;
  }

  /** It leads to another node than the one that was asked for: a load balancer that does not look at `?node=`. */
  get isAstray(): boolean {
    const { node } = this.address;
    return node !== undefined && this.#node !== undefined && this.#node.name !== node;
  }

  get isOutOfReach(): boolean {
    switch (this.#state.at) {
      case 'fetching':
      case 'dialing':
      case 'waiting':
        return this.#state.attempt >= DIALS_MAX;
      case 'stopped':
      case 'closed':
        return true;
      case 'idle':
      case 'live':
        return false;
    }
  }

  start(): void {
    this.#apply({ is: 'start' });
  }

  /** Tries at once instead of waiting on. */
  wake(): void {
    this.#apply({ is: 'wake' });
  }

  /** Leaves the present socket and dials again, with what `session()` says now. */
  redial(): void {
    this.#apply({ is: 'redial' });
  }

  /** An answer on the present channel said that its token is no good. */
  unauthenticated(message: string): void {
    this.#refused({ code: 'unauthenticated', message });
  }

  close(): void {
    this.#apply({ is: 'close' });
  }

  #apply(event: ConnectionEvent): void {
    const state = transition(this.#state, event);
    if (state === this.#state) return;
    this.#timer?.();
    this.#timer = undefined;
    this.#state = state;
    if (state.at !== 'dialing' && state.at !== 'live') this.#hangUp();
    this.#enter(state);
    // Entering may have led on already; each state is told once.
    if (this.#state === state) this.#port.changed(state);
  }

  #enter(state: ConnectionState): void {
    switch (state.at) {
      case 'fetching':
        this.#fetchToken(state);
        return;
      case 'dialing':
        this.#dial(state.token);
        return;
      case 'live':
        this.#open(state.hello);
        return;
      case 'waiting': {
        const { clock, random } = this.#port;
        const askedMs = askedWaitMs(state.askedMs) * (1 + random.next() / 4);
        const delayMs = Math.max(askedMs, backoffMs(state.attempt, random));
        this.#timer = clock.after(delayMs, () => this.#apply({ is: 'elapsed' }));
        return;
      }
      case 'idle':
      case 'stopped':
      case 'closed':
        return;
    }
  }

  #fetchToken(state: ConnectionState): void {
    this.#port.tokens.current().then(
      (token) => {
        if (this.#state === state) this.#apply({ is: 'token', token });
      },
      (error: unknown) => {
        if (this.#state !== state) return;
        const message = error instanceof Error ? error.message : String(error);
        this.#apply({ is: 'token_failed', message: `no token could be fetched: ${message}` });
      },
    );
  }

  #dial(token: string | undefined): void {
    const { dialer, clock } = this.#port;
    const handshake = {
      protocol: PROTOCOL_VERSION,
      session: this.#port.session(),
      ...(token !== undefined && { token }),
    };
    const mine = (): boolean => this.#socket === socket;
    const socket: DialedSocket = dialer.dial(urlOf(this.address), handshake, {
      message: (event, payload) => {
        if (mine()) this.#receive(event, payload);
      },
      refused: (reason) => {
        if (mine()) this.#refused(asReason(reason), retryAfterMsOf(reason));
      },
      lost: () => {
        if (mine()) this.#apply({ is: 'lost', lastedMs: this.#lastedMs() });
      },
    });
    this.#socket = socket;
    this.#timer = clock.after(HELLO_MS, () => this.#apply({ is: 'overdue' }));
  }

  #receive(event: string, payload: unknown): void {
    if (event === 'hello') {
      this.#apply({ is: 'hello', hello: payload as Hello });
      return;
    }
    if (this.#channel === undefined) return;
    this.#channel.channel.heard();
    this.#port.received(this.#channel.channel, event, payload);
  }

  #open(hello: Hello): void {
    const { clock, tokens } = this.#port;
    if (this.#socket === undefined) throw new Error('a connection without a socket said hello');
    const channel = new Channel(hello, this.#socket, clock, () =>
      this.#apply({ is: 'silent', lastedMs: this.#lastedMs() }),
    );
    const stopRenewing = tokens.keepFresh(channel, (message) => this.unauthenticated(message));
    this.#channel = { channel, sinceMs: clock.monotonicMs(), stopRenewing };
    this.#node = hello.node;
    this.#port.opened(channel);
  }

  #hangUp(): void {
    const socket = this.#socket;
    const live = this.#channel;
    this.#socket = undefined;
    this.#channel = undefined;
    live?.stopRenewing();
    live?.channel.end();
    socket?.close();
    if (live !== undefined) this.#port.ended(live.channel);
  }

  #refused(why: Reason & { readonly code: Code }, retryAfterMs = 0): void {
    const duty = DUTIES[why.code];
    if (duty !== 'reauthenticate') return this.#apply({ is: 'refused', why, duty, retryAfterMs });
    this.#port.tokens.forget();
    this.#apply({ is: 'refused', why, duty: this.#port.tokens.renewable ? duty : 'stop', retryAfterMs });
  }

  #lastedMs(): number {
    return this.#channel === undefined ? 0 : this.#port.clock.monotonicMs() - this.#channel.sinceMs;
  }
}

function asReason(reason: unknown): Reason & { readonly code: Code } {
  const { code, message } = (typeof reason === 'object' && reason !== null ? reason : {}) as Partial<Reason>;
  const known = typeof code === 'string' && Object.hasOwn(DUTIES, code);
  return {
    code: known ? (code as Code) : 'unavailable',
    message: String(message ?? 'the server refused the connection'),
  };
}

function retryAfterMsOf(reason: unknown): number {
  const { retryAfterMs } = (typeof reason === 'object' && reason !== null ? reason : {}) as { retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' ? retryAfterMs : 0;
}

function urlOf({ url, node }: Address): string {
  if (node === undefined) return url;
  const asking = new URL(url);
  asking.searchParams.set('node', node);
  return asking.href;
}
