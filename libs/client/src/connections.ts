/**
 * The connections of one client: one for each node that a document of it needs, shared by all documents there.
 *
 * The addresses that the application gave are where it begins, and any node may be asked where a document lives. A node
 * that was named as an owner is remembered and may be asked as well: the nodes that were given may be the dead ones.
 * While nothing is live, one address after the other is tried, beside those that dial again by themselves.
 *
 * All carry the same session id, and a node closes the older of two sockets of one session. So when two addresses turn
 * out to lead to one node, the younger socket stays and the other connection goes: else they would end each other for ever.
 *
 * What nobody needs is closed after a short while, but never the last one.
 */
import type { NodeRef, SessionId } from '@homeport/protocol';
import type { Channel } from './channel.js';
import type { Cancel, Clock } from './clock.js';
import { Connection, type Address } from './connection.js';
import type { ConnectionState } from './connection-state.js';
import type { Dialer } from './dialer.js';
import type { Random } from './random.js';
import type { Tokens } from './tokens.js';

export const IDLE_MS = 5_000;
/** Before another address is tried: all clients of a node that died do this at the same time. */
export const SEEK_JITTER_MS = 50;
/** As many may be dialed, while all is down, beside those that were given. */
const MET_MAX = 8;

export interface ConnectionsPort {
  readonly clock: Clock;
  readonly random: Random;
  readonly dialer: Dialer;
  readonly tokens: Tokens;
  session(): SessionId;
  /** Some connection has another state. */
  changed(): void;
  received(channel: Channel, event: string, payload: unknown): void;
  ended(channel: Channel): void;
  /** Whether some document needs it. */
  isUsed(connection: Connection): boolean;
}

export class Connections {
  readonly #port: ConnectionsPort;
  readonly #given: readonly Address[];
  /** Owners that were named, by name; the latest last. */
  readonly #met = new Map<string, NodeRef>();
  readonly #idle = new Map<Connection, Cancel>();
  #all: readonly Connection[] = [];
  #seeking: Cancel | undefined;
  #closed = false;

  constructor(urls: readonly string[], port: ConnectionsPort) {
    this.#given = urls.map((url) => ({ url }));
    this.#port = port;
  }

  /** Of the way to the server as a whole: the best that there is. */
  get state(): ConnectionState {
    const states = this.#all.map(({ state }) => state);
    const best = states.find(({ at }) => at === 'live') ?? states.find(({ at }) => at !== 'stopped') ?? states[0];
    return best ?? (this.#closed ? { at: 'closed' } : { at: 'idle' });
  }

  start(): void {
    this.#tryNext();
  }

  wake(): void {
    for (const connection of this.#all) connection.wake();
  }

  redial(): void {
    for (const connection of this.#all) connection.redial();
  }

  close(): void {
    this.#closed = true;
    this.#seeking?.();
    for (const connection of this.#all) this.#drop(connection);
    this.#port.changed();
  }

  /** A node of the cluster, and where it says that it is. */
  meet(node: NodeRef): void {
    this.#met.delete(node.name);
    this.#met.set(node.name, node);
    if (this.#met.size > MET_MAX) this.#met.delete(this.#met.keys().next().value!);
  }

  /** The one that leads to this node, or tries to. */
  to({ name, url }: NodeRef): Connection {
    const leadsThere = ({ node }: Connection): boolean => node?.name === name;
    return (
      this.#all.find((connection) => connection.channel !== undefined && leadsThere(connection)) ??
      this.#all.find(({ address, isAstray }) => address.node === name && address.url === url && !isAstray) ??
      this.#all.find((connection) => leadsThere(connection) && !connection.isOutOfReach) ??
      this.#add({ url, node: name })
    );
  }

  /** A live one, each in its turn, but not `except`. */
  someone(turn: number, except?: Connection): Connection | undefined {
    const live = this.#all.filter((connection) => connection.channel !== undefined && connection !== except);
    return live[turn % live.length];
  }

  has(connection: Connection): boolean {
    return this.#all.includes(connection);
  }

  /** Tries one more address, if there is one that is not tried already. */
  more(): void {
    this.#seeking ??= this.#port.clock.after(this.#port.random.next() * SEEK_JITTER_MS, () => {
      this.#seeking = undefined;
      this.#tryNext();
    });
  }

  /** After anything changed: seeks on while nothing is live, and closes what nobody needs. */
  settle(): void {
    if (this.#closed) return;
    const isLive = this.#all.some(({ channel }) => channel !== undefined);
    if (!isLive && this.#all.every(isOfNoAvail)) this.more();
    for (const connection of this.#all) {
      if (this.#all.length === 1 || this.#port.isUsed(connection)) this.#keep(connection);
      else if (connection.channel !== undefined) this.#closeLater(connection);
      else if (isLive) this.#drop(connection);
    }
  }

  #tryNext(): void {
    const next = this.#untried();
    if (next !== undefined) this.#add(next);
  }

  #untried(): Address | undefined {
    const tried = ({ url, node }: Address): boolean =>
      this.#all.some(
        (connection) =>
          (connection.address.url === url && connection.address.node === node) ||
          (node !== undefined && connection.node?.name === node),
      );
    const met = [...this.#met.values()].reverse().map(({ url, name }): Address => ({ url, node: name }));
    return [...this.#given, ...met].find((address) => !tried(address));
  }

  #add(address: Address): Connection {
    const { clock, random, dialer, tokens } = this.#port;
    const connection = new Connection(address, {
      clock,
      random,
      dialer,
      tokens,
      session: () => this.#port.session(),
      changed: () => this.#port.changed(),
      opened: ({ hello }) => {
        for (const other of this.#all) {
          const doubled = other !== connection && other.channel?.hello.node.name === hello.node.name;
          if (doubled) this.#drop(other);
        }
      },
      received: (channel, event, payload) => this.#port.received(channel, event, payload),
      ended: (channel) => this.#port.ended(channel),
    });
    this.#all = [...this.#all, connection];
    connection.start();
    return connection;
  }

  #drop(connection: Connection): void {
    this.#keep(connection);
    this.#all = this.#all.filter((other) => other !== connection);
    connection.close();
  }

  #keep(connection: Connection): void {
    this.#idle.get(connection)?.();
    this.#idle.delete(connection);
  }

  #closeLater(connection: Connection): void {
    if (this.#idle.has(connection)) return;
    const cancel = this.#port.clock.after(IDLE_MS, () => {
      this.#idle.delete(connection);
      if (this.#all.length > 1 && !this.#port.isUsed(connection)) this.#drop(connection);
    });
    this.#idle.set(connection, cancel);
  }
}

/** It failed, and another address may do better: one without a token, or with a wrong one, is of no use anywhere. */
function isOfNoAvail({ state, channel }: Connection): boolean {
  if (channel !== undefined) return false;
  switch (state.at) {
    case 'waiting':
    case 'stopped':
      return state.why.code !== 'token' && state.why.code !== 'unauthenticated';
    case 'fetching':
    case 'dialing':
      return state.attempt > 0;
    case 'idle':
    case 'live':
    case 'closed':
      return false;
  }
}
