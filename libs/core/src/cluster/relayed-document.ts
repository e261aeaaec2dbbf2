import {
  refuse,
  type DocumentId,
  type EntriesReply,
  type NodeRef,
  type PushReply,
  type ReadReply,
  type ReadRequest,
  type Refusal,
  type Seq,
} from '@homeport/protocol';
import { tailPages, type Pages } from '../document/catch-up.js';
import type { DocumentHost } from '../document/document-host.js';
import type { DocumentRef, Opened } from '../document/document-ref.js';
import type { Document, Push } from '../document/document.js';
import { readReply, type LocalDocument } from '../document/local-document.js';
import { slotOf } from '../document/slot.js';
import { pause, type Clock } from '../runtime/clock.js';
import { AWAY_RETRY_MS, type Relay } from './relay.js';
import type { SlotMap } from './slot-map.js';

const CONFIRM_TRIES = 100;
const CONFIRM_PAUSE_MS = 20;

/**
 * A document wherever it lives: here, or with its owner, who is asked over the bus. It is found anew at every call; one
 * that is not here any more when its turn comes, or not there, is looked for once on the other side.
 *
 * Who can go to the owner (`redirect`) is told where that is instead; but what was open here when it moved is served on
 * until it is left (`follow`), in the order in which it was asked, what waited for the move included.
 */
export class RelayedDocument implements DocumentRef {
  readonly #id: DocumentId;
  readonly #pin: 'redirect' | 'relay';
  readonly #local: LocalDocument;
  readonly #relay: Relay;
  readonly #host: DocumentHost;
  readonly #map: SlotMap;
  readonly #clock: Clock;
  readonly #find: (node: string) => NodeRef | undefined;
  #openedAs: 'never' | 'local' | 'relayed' | 'left' = 'never';
  readonly #isWanted = (): boolean => this.#openedAs !== 'left';

  constructor(parts: {
    readonly id: DocumentId;
    readonly pin: 'redirect' | 'relay';
    readonly local: LocalDocument;
    readonly relay: Relay;
    readonly host: DocumentHost;
    readonly map: SlotMap;
    readonly clock: Clock;
    readonly find: (node: string) => NodeRef | undefined;
  }) {
    this.#id = parts.id;
    this.#pin = parts.pin;
    this.#local = parts.local;
    this.#relay = parts.relay;
    this.#host = parts.host;
    this.#map = parts.map;
    this.#clock = parts.clock;
    this.#find = parts.find;
  }

  async open(ask: Parameters<DocumentRef['open']>[0]): Promise<Opened | Refusal> {
    // In the tick of the join: it may be left before the answer is there.
    const join = (): boolean => {
      const isJoined = ask.join();
      if (isJoined) this.#openedAs = 'local';
      return isJoined;
    };
    const here = await this.#local.open({ ...ask, join });
    if (!this.#isForOwner(here)) return here;
    // What is published from here on is heard; what was published before is in what the owner, or the database, answers.
    try {
      if (!(await ask.joinRelayed())) return refuse.unavailable('the session went away', 0);
    } catch {
      return refuse.unavailable('what the owner publishes can not be heard at the moment', AWAY_RETRY_MS);
    }
    this.#relay.joined(this.#id);
    this.#openedAs = 'relayed';
    const opened = await this.#openThere(ask);
    if ('ok' in opened) this.leave();
    return opened;
  }

  async nextPage(rest: Pages): ReturnType<DocumentRef['nextPage']> {
    if (this.#openedAs === 'local') return this.#local.nextPage(rest);
    const page = rest.next().value;
    return page === undefined ? refuse.invalid('next', 'there is no further page') : { page };
  }

  leave(): void {
    if (this.#openedAs === 'local') this.#local.leave();
    if (this.#openedAs === 'relayed') this.#relay.left(this.#id);
    this.#openedAs = 'left';
  }

  follow(): boolean {
    if (this.#openedAs !== 'local') return false;
    this.#local.leave();
    this.#relay.joined(this.#id);
    this.#openedAs = 'relayed';
    return true;
  }

  push(push: Push): Promise<PushReply> {
    return this.#either(
      () => this.#local.push(push),
      () => this.#relay.ask<'push'>({ is: 'push', document: this.#id, push }, this.#isWanted),
    );
  }

  read(request: ReadRequest): Promise<ReadReply> {
    return this.#either(
      () => this.#local.read(request),
      async () => {
        const reply = await this.#relay.ask<'read'>({ is: 'read', document: this.#id, request }, this.#isWanted);
        const isTooLarge = reply !== 'here' && !reply.ok && reply.code === 'too_large';
        return isTooLarge ? this.#readCopy(request) : reply;
      },
    );
  }

  entries(from: Seq): Promise<EntriesReply> {
    return this.#either(
      () => this.#local.entries(from),
      () => this.#relay.ask<'entries'>({ is: 'entries', document: this.#id, from }, this.#isWanted),
    );
  }

  async #openThere({ since, user, session }: Parameters<DocumentRef['open']>[0]): Promise<Opened | Refusal> {
    const question = { is: 'open', document: this.#id, user, session, ...(since && { since }) } as const;
    const opened = await this.#relay.ask<'open'>(question, this.#isWanted);
    if (opened === 'here') return refuse.unavailable('the document is moving', 50);
    if (!opened.ok) return opened;
    const owner = this.#find(this.#map.ownerOf(slotOf(this.#id)) ?? '');
    if (owner === undefined) return refuse.unavailable('the document is moving', 50);
    const common = { owner, epoch: opened.epoch, relayed: true };
    if (opened.tail !== undefined) {
      const rest = tailPages(opened.tail);
      return { ...common, position: opened.position, session: opened.session, page: rest.next().value!, rest };
    }
    const copy = await this.#copy();
    if ('ok' in copy) return copy;
    const rest = copy.pages(undefined);
    // Its marks are of its moment, as its records are.
    return {
      ...common,
      position: copy.position,
      session: copy.recall(user, session),
      page: copy.nextPage(rest)!,
      rest,
    };
  }

  async #readCopy(request: ReadRequest): Promise<ReadReply> {
    const copy = await this.#copy();
    return 'ok' in copy ? copy : readReply(copy, request, false);
  }

  /**
   * The document from the database: what is too large for the bus. It begins after the owner has answered, so it holds
   * everything that was acknowledged by then. It may hold more: a flush that is committed, and whose owner does not know
   * that yet. Shown now, it would make the owner's next read seem to go back; so it is shown when the owner is as far.
   */
  async #copy(): Promise<Document | Refusal> {
    try {
      const copy = await this.#host.copy(this.#id);
      for (let tries = 0; tries < CONFIRM_TRIES; tries++) {
        const from = (copy.head + 1) as Seq;
        const reply = await this.entries(from);
        if (reply.ok) return copy;
        if (reply.code !== 'resync') return reply;
        await pause(this.#clock, CONFIRM_PAUSE_MS);
      }
      return refuse.unavailable('the owner of the document waits for the database', 500);
    } catch {
      return refuse.unavailable('the document can not be read from the database at the moment', 1_000);
    }
  }

  async #either<Reply extends { readonly ok: boolean }>(
    here: () => Promise<Reply | Refusal>,
    there: () => Promise<Reply | Refusal | 'here'>,
  ): Promise<Reply | Refusal> {
    const local = await here();
    if (!this.#isForOwner(local)) return local;
    const remote = await there();
    if (remote === 'here') return here();
    // Who can go there itself need not wait for what we can not reach.
    return this.#pin === 'redirect' && isRefused(remote, 'unavailable') ? local : remote;
  }

  /** It lives elsewhere, and it is for us to go there. */
  #isForOwner(reply: object): boolean {
    return isRefused(reply, 'moved') && (this.#pin === 'relay' || this.#openedAs === 'relayed');
  }
}

function isRefused(reply: object, code: Refusal['code']): boolean {
  return 'code' in reply && reply.code === code;
}
