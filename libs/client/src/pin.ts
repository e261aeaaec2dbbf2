/**
 * Decides on which socket a document is to be open: with its owner, if there is a way to it.
 *
 *   asking    the owner is not known: anybody who is live is asked, and answers with the document or with `moved`
 *   direct    the owner has a socket of its own. Until that is live, the others are asked on, at growing intervals: the
 *             owner may be dead, and they know its heir first
 *   relayed   the owner can not be reached from here: another node serves the document in its name. The direct way is
 *             tried again later, and after the next `moved`
 *
 * A document that is open stays where it is until the better place is live. An owner that said `moved` serves it on, or,
 * where it can not, tells so again to what is pushed there. Whatever happens is noted, and then `decide` looks at everything
 * anew; it alone opens. It waits as long as a server has asked for, and at least as long as the number of tries in vain demands.
 */
import type { Epoch, Moved, NodeRef, OpenedHead } from '@homeport/protocol';
import { askedWaitMs, backoffMs } from './backoff.js';
import type { Channel } from './channel.js';
import type { Cancel, Clock } from './clock.js';
import type { Connection } from './connection.js';
import type { Connections } from './connections.js';
import type { Random } from './random.js';
import { Route } from './route.js';

export const DIRECT_AGAIN_MS = 30_000;
/** Of all clients of an owner that died, before they ask the others. */
const ASK_JITTER_MS = 50;
/** So many times in a row a `moved` is followed at once. */
const HOPS_MAX = 3;
/** After so many tries in vain even an owner that answers is doubted: it may be cut off, and not know its heir. */
const DOUBT_TRIES = 2;
/** Pauses grow up to here, 1 s: to ask on an open socket is cheap, and servers ask for the time that they need. */
const PATIENCE_TRIES_MAX = 3;

export type PinKind = 'redirect' | 'relay';

export interface PinPort {
  readonly clock: Clock;
  readonly random: Random;
  readonly connections: Connections;
  open(channel: Channel, kind: PinKind): void;
  /** Calls `decide`, when the work at hand is done. */
  decideSoon(): void;
}

type Way =
  | { readonly at: 'asking' }
  /** No connection yet: the server has asked for time. */
  | { readonly at: 'direct'; readonly connection: Connection | undefined }
  | { readonly at: 'relayed'; readonly cancel: Cancel }
  | { readonly at: 'closed' };

/** Where the document is open, or is being opened. */
interface Place {
  readonly connection: Connection;
  readonly channel: Channel;
  readonly kind: PinKind;
  /** What `open` asked for is here: nothing else is sought. */
  readonly isSettled: boolean;
}

export class Pin {
  readonly #document: string;
  readonly #port: PinPort;
  readonly #route = new Route();
  #way: Way = { at: 'asking' };
  #place: Place | undefined;
  /** Where `open` was answered last, and what serves the document until it is closed there. */
  #server: Channel | undefined;
  /** Since it was live: opens that told nothing new, since the last `moved` that did, and how many of those there were. */
  #tries = 0;
  #hops = 0;
  #ownerNotBeforeMs = 0;
  #othersNotBeforeMs = 0;
  #timer: Cancel | undefined;

  constructor(document: string, port: PinPort) {
    this.#document = document;
    this.#port = port;
  }

  get route(): Route {
    return this.#route;
  }

  get connection(): Connection | undefined {
    return this.#place?.connection;
  }

  uses(connection: Connection): boolean {
    if (this.#way.at === 'closed') return false;
    if (this.#place?.isSettled !== true) return true;
    const isOwners = this.#way.at === 'direct' && this.#way.connection === connection;
    return isOwners || this.#place.connection === connection;
  }

  // ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** `open` was answered. */
  opened({ owner, epoch, relayed }: OpenedHead): void {
    const place = this.#place;
    if (place === undefined) return;
    // Only now: until then the others see us where we were.
    if (this.#server !== place.channel) this.#closeAt(this.#server);
    this.#server = place.channel;
    this.#port.connections.meet(owner);
    const other = this.#route.owner !== undefined && this.#route.owner.name !== owner.name;
    this.#route.arrive(owner, epoch);
    if (!relayed) this.#take({ at: 'direct', connection: place.connection });
    // The one that could not be reached is not the owner any more.
    else if (other) this.#goDirect();
  }

  /** All that `open` brought is shown. */
  live(): void {
    this.#settle();
    [this.#tries, this.#hops] = [0, 0];
    this.#port.decideSoon();
  }

  /** The server does not let us in. Where the socket stays, it may change its mind. */
  refused(): void {
    this.#settle();
  }

  /** The document moved while it was open: it is still served here. False: that was no news, and the answer is to ask again. */
  told({ owner, epoch, afterMs }: Moved): boolean {
    if (this.#follow(owner, epoch, afterMs)) return true;
    return this.#place?.kind === 'relay';
  }

  /** `open` or a request was refused with `moved`. */
  moved({ owner, epoch, afterMs }: Omit<Moved, 'document'>): void {
    const place = this.#turnedAway();
    if (this.#follow(owner, epoch, afterMs)) return;
    // Who served it on until it was our turn to go does so no longer.
    if (place?.isSettled) this.#ownerNotBeforeMs = 0;
    this.#waitAt(place, afterMs);
  }

  /** Refused for now: again, not before `askedMs` are over. */
  again(askedMs: number): void {
    this.#waitAt(this.#turnedAway(), askedMs);
  }

  /** The channel has ended. True: the document was open there. */
  ended(channel: Channel): boolean {
    if (this.#server === channel) this.#server = undefined;
    if (this.#place?.channel !== channel) return false;
    this.#place = undefined;
    const { clock, random } = this.#port;
    this.#ownerNotBeforeMs = 0;
    this.#othersNotBeforeMs = clock.monotonicMs() + random.next() * ASK_JITTER_MS;
    return true;
  }

  close(): void {
    this.#closeAt(this.#server);
    if (this.#place?.channel !== this.#server) this.#closeAt(this.#place?.channel);
    this.#place = undefined;
    this.#take({ at: 'closed' });
    this.#timer?.();
    this.#port.decideSoon();
  }

  // ── the decision ─────────────────────────────────────────────────────────────────────────────────────────────────

  decide(): void {
    this.#timer?.();
    this.#timer = undefined;
    if (this.#way.at === 'closed') return;
    const { connections } = this.#port;
    const owner = this.#ownersConnection();
    const isDoubted = this.#tries >= DOUBT_TRIES && this.#tries % 2 === 1;
    if (owner?.channel !== undefined && !isDoubted) return this.#go(owner, 'redirect', this.#ownerNotBeforeMs);
    const kind = this.#way.at === 'relayed' ? 'relay' : 'redirect';
    if (this.#place !== undefined) {
      // Served where it is; but no longer than until we leave, unless we ask for it.
      if (kind === 'relay' && this.#place.isSettled) this.#go(this.#place.connection, kind, 0);
      return;
    }
    if (this.#tries >= DOUBT_TRIES) connections.more();
    const other = connections.someone(this.#tries, owner);
    if (other !== undefined) this.#go(other, kind, this.#othersNotBeforeMs);
    else if (owner !== undefined) this.#go(owner, 'redirect', this.#ownerNotBeforeMs);
  }

  /** The owner's own, unless there is none, or no way to it while another node is live that may relay. */
  #ownersConnection(): Connection | undefined {
    const { owner } = this.#route;
    if (this.#way.at !== 'direct' || owner === undefined) return undefined;
    const { connections } = this.#port;
    const { connection } = this.#way;
    if (connection === undefined || !connections.has(connection) || leadsElsewhere(connection, owner)) {
      // To dial is half of the storm that the server wants to spread.
      return this.#waits(this.#ownerNotBeforeMs) ? undefined : this.#reach(connections.to(owner), owner);
    }
    // Out of reach, it may only be at another address now.
    const isMoved = !isReachable(connection, owner) && connection.address.url !== owner.url;
    return this.#reach(isMoved ? connections.to(owner) : connection, owner);
  }

  #reach(connection: Connection, owner: NodeRef): Connection | undefined {
    // What leads to another node, live, can relay by itself, where there is nobody else.
    const isAlone = connection.channel === undefined && this.#port.connections.someone(0, connection) === undefined;
    if (isReachable(connection, owner) || isAlone) {
      this.#take({ at: 'direct', connection });
      return connection;
    }
    this.#relay();
    return undefined;
  }

  /** Decides again at that time, if it is not over. */
  #waits(notBeforeMs: number): boolean {
    const { clock, decideSoon } = this.#port;
    const leftMs = notBeforeMs - clock.monotonicMs();
    if (leftMs > 0) this.#timer ??= clock.after(leftMs, decideSoon);
    return leftMs > 0;
  }

  #go(connection: Connection, kind: PinKind, notBeforeMs: number): void {
    const { channel } = connection;
    if (channel === undefined || (this.#place?.channel === channel && this.#place.kind === kind)) return;
    if (this.#waits(notBeforeMs)) return;
    // Asked, and the answer is not wanted any more.
    const asked = this.#place?.channel;
    if (asked !== channel && asked !== this.#server) this.#closeAt(asked);
    this.#place = { connection, channel, kind, isSettled: false };
    this.#port.open(channel, kind);
  }

  #follow(owner: NodeRef, epoch: Epoch, afterMs: number): boolean {
    this.#port.connections.meet(owner);
    if (!this.#route.follow(owner, epoch)) return false;
    const { clock, random } = this.#port;
    // At once, if the server agrees; but who is sent on and on slows down.
    const patienceMs = this.#hops < HOPS_MAX ? 0 : backoffMs(this.#hops - HOPS_MAX, random);
    [this.#tries, this.#hops] = [0, this.#hops + 1];
    this.#ownerNotBeforeMs =
      clock.monotonicMs() + Math.max(askedWaitMs(afterMs) * (1 + random.next() / 10), patienceMs);
    this.#othersNotBeforeMs = this.#ownerNotBeforeMs + backoffMs(1, random);
    this.#goDirect();
    this.#port.decideSoon();
    return true;
  }

  #waitAt(place: Place | undefined, askedMs: number): void {
    const { clock, random } = this.#port;
    const patienceMs = backoffMs(Math.min(this.#tries++, PATIENCE_TRIES_MAX), random);
    const waitMs = Math.max(askedWaitMs(askedMs) * (1 + random.next() / 4), patienceMs);
    const notBeforeMs = clock.monotonicMs() + waitMs;
    const wasOwner = this.#way.at === 'direct' && place?.connection === this.#way.connection;
    if (wasOwner) this.#ownerNotBeforeMs = notBeforeMs;
    this.#othersNotBeforeMs = notBeforeMs;
    this.#port.decideSoon();
  }

  #goDirect(): void {
    this.#take({ at: 'direct', connection: undefined });
  }

  #relay(): void {
    const { clock, random } = this.#port;
    const cancel = clock.after(DIRECT_AGAIN_MS * (0.75 + random.next() / 2), () => {
      this.#goDirect();
      this.#port.decideSoon();
    });
    this.#take({ at: 'relayed', cancel });
  }

  #take(way: Way): void {
    if (this.#way.at === 'relayed') this.#way.cancel();
    this.#way = way;
  }

  #settle(): void {
    if (this.#place !== undefined) this.#place = { ...this.#place, isSettled: true };
  }

  #turnedAway(): Place | undefined {
    const place = this.#place;
    this.#place = undefined;
    return place;
  }

  #closeAt(channel: Channel | undefined): void {
    channel?.request('close', { document: this.#document }, () => undefined);
  }
}

/** Found under an address that many nodes share, and it is another one now. */
function leadsElsewhere({ channel, node, address }: Connection, owner: NodeRef): boolean {
  return channel !== undefined && node?.name !== owner.name && address.node !== owner.name;
}

function isReachable({ channel, node, isOutOfReach }: Connection, owner: NodeRef): boolean {
  return channel === undefined ? !isOutOfReach : node?.name === owner.name;
}
