/**
 * How much comes in at once, by address, by user, and all together. It is asked before anything else is done, so that
 * what is too much costs next to nothing. What a socket may ask once it is in is the session's affair.
 *
 * The address is that of the peer. What a header says of it is not believed: anybody can write one.
 */
import { Rate, type Clock, type Random } from '@homeport/core';
import { refuse, type Refusal, type UserId } from '@homeport/protocol';
import { KeyedRates } from './keyed-rates.js';
import { networkOf } from './network.js';

/** All per second. */
export interface DoorRates {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly requestsPerAddress: number;
  readonly requestsPerUser: number;
  readonly guestsPerAddress: number;
}

/** After a restart everybody comes at once: who is sent away comes back somewhere in this span, not all in one instant. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 5_000;

export class Door {
  readonly #connections: Rate;
  readonly #connectionsPerAddress: KeyedRates;
  readonly #requestsPerAddress: KeyedRates;
  readonly #requestsPerUser: KeyedRates;
  readonly #guestsPerAddress: KeyedRates;

  constructor(
    rates: DoorRates,
    clock: Clock,
    private readonly random: Random,
  ) {
    this.#connections = new Rate(clock, rates.connections);
    this.#connectionsPerAddress = new KeyedRates(clock, rates.connectionsPerAddress);
    this.#requestsPerAddress = new KeyedRates(clock, rates.requestsPerAddress);
    this.#requestsPerUser = new KeyedRates(clock, rates.requestsPerUser);
    this.#guestsPerAddress = new KeyedRates(clock, rates.guestsPerAddress);
  }

  /** The refusal, or undefined: it may come in. One address that asks too often takes nothing from the others. */
  connection(address: string | undefined): Refusal | undefined {
    if (this.#connectionsPerAddress.take(networkOf(address)) === 0 && this.#connections.take() === 0) return undefined;
    const retryAfterMs = Math.round(RETRY_MS_MIN + this.random.next() * (RETRY_MS_MAX - RETRY_MS_MIN));
    return refuse.unavailable('too many connections at once', retryAfterMs);
  }

  /** Of an HTTP request, before anybody knows whose it is. */
  request(address: string | undefined): Refusal | undefined {
    return refusalOf(this.#requestsPerAddress.take(networkOf(address)));
  }

  requestOf(user: UserId): Refusal | undefined {
    return refusalOf(this.#requestsPerUser.take(user));
  }

  /** Each guest is a user with rates of their own, so there can not be any number of them. */
  guest(address: string | undefined): Refusal | undefined {
    return refusalOf(this.#guestsPerAddress.take(networkOf(address)));
  }
}

function refusalOf(waitMs: number): Refusal | undefined {
  return waitMs > 0 ? refuse.rateLimited(waitMs) : undefined;
}
