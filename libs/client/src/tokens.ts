/**
 * Where tokens come from. One that was fetched is kept until it is refused or about to expire. A fetch that hangs is
 * given up after 10 s, so that it can never stall the connection.
 */
import type { Cancel, Clock } from './clock.js';
import type { Channel } from './channel.js';
import { backoffMs } from './backoff.js';
import type { Random } from './random.js';

export type TokenFunction = () => string | undefined | Promise<string | undefined>;

export const TOKEN_FETCH_MS = 10_000;
/** A new token is fetched this long before the old one ends, or at four fifths of a short life. */
export const RENEWAL_MARGIN_MS = 60_000;
/** What a timer can hold. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface TokensPort {
  readonly clock: Clock;
  readonly random: Random;
  /** A renewal failed; it is tried again. */
  failed(error: unknown): void;
}

export class Tokens {
  readonly #source: string | undefined | TokenFunction;
  readonly #port: TokensPort;
  #kept: { readonly token: string | undefined; readonly expiresAt: number | undefined } | undefined;
  /** One fetch serves all connections that dial meanwhile. */
  #fetching: Promise<string | undefined> | undefined;

  constructor(source: string | undefined | TokenFunction, port: TokensPort) {
    this.#source = source;
    this.#port = port;
  }

  /** False: there is one token for ever, and when it is refused nothing can be done. */
  get renewable(): boolean {
    return typeof this.#source === 'function';
  }

  /** The token was refused. */
  forget(): void {
    this.#kept = undefined;
  }

  current(): Promise<string | undefined> {
    const source = this.#source;
    if (typeof source !== 'function') return Promise.resolve(source);
    const expiresAt = this.#kept?.expiresAt ?? Infinity;
    if (this.#kept !== undefined && expiresAt > this.#port.clock.wallMs()) return Promise.resolve(this.#kept.token);
    return this.#fetch(source);
  }

  /** Keeps the token of an open channel fresh, until the answer is called. `refused`: the server did not want the new one. */
  keepFresh(channel: Channel, refused: (message: string) => void): Cancel {
    const { clock, random } = this.#port;
    const source = this.#source;
    if (typeof source !== 'function') return () => undefined;
    let cancel: Cancel = () => undefined;
    let ended = false;
    const schedule = (expiresAt: number | undefined): void => {
      if (expiresAt === undefined) return;
      const leftMs = expiresAt - clock.wallMs();
      const delayMs = leftMs - Math.min(RENEWAL_MARGIN_MS, leftMs / 5);
      cancel = clock.after(Math.min(Math.max(delayMs, 0), TIMER_MAX_MS), () => void renew(0));
    };
    const renew = async (attempt: number): Promise<void> => {
      try {
        const token = await this.#fetch(source);
        if (ended || token === undefined) return;
        channel.request('token', { token }, (reply) => {
          if (!reply.ok) refused(reply.message);
          else schedule(reply.expiresAt ?? undefined);
        });
      } catch (error) {
        if (ended) return;
        this.#port.failed(error);
        cancel = clock.after(backoffMs(attempt, random), () => void renew(attempt + 1));
      }
    };
    schedule(this.#kept?.expiresAt);
    return () => {
      ended = true;
      cancel();
    };
  }

  #fetch(source: TokenFunction): Promise<string | undefined> {
    return (this.#fetching ??= this.#fetchNow(source));
  }

  async #fetchNow(source: TokenFunction): Promise<string | undefined> {
    try {
      const token = await this.#within(source);
      this.#kept = { token, expiresAt: token === undefined ? undefined : expiryOf(token) };
      return token;
    } finally {
      this.#fetching = undefined;
    }
  }

  #within(source: TokenFunction): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = this.#port.clock.after(TOKEN_FETCH_MS, () =>
        reject(new Error(`no token came within ${TOKEN_FETCH_MS} ms`)),
      );
      Promise.resolve().then(source).then(resolve, reject).finally(cancel);
    });
  }
}

/** When a JWT ends, in ms since 1970, as far as its payload says so. It is not verified: the server does that. */
export function expiryOf(token: string): number | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { exp?: unknown } | null;
    return typeof claims?.exp === 'number' ? claims.exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
