/**
 * One document that a session has open, from the moment it was asked for.
 *
 *   opening ── joined ──> here ── another node is about to have it ──> parting ── it has it, and is followed ──> elsewhere
 *      │                    ^─────────────── the slot did not go ──────────┘                                        ^
 *      └── joined what its owner publishes: relayed ────────────────────────────────────────────────────────────────┘
 *
 *   from each of them: left, for good. Who opens the document again has another one of these.
 *
 * `parting`: it lives here, and is about to go; what its next owner publishes is heard already.
 */
import {
  refuse,
  type Access,
  type DocumentId,
  type JsonObject,
  type OpenRequest,
  type Refusal,
} from '@homeport/protocol';
import type { Pages } from '../document/catch-up.js';
import type { DocumentRef, Documents, Presented } from '../document/document-ref.js';
import { slotOf, type Slot } from '../document/slot.js';
import type { Clock } from '../runtime/clock.js';
import type { Channel } from './channel.js';
import type { Presence } from './presence.js';

/** The session, as its documents see it. */
export interface Opener {
  readonly presented: Omit<Presented, 'state'>;
  readonly channel: Channel;
  readonly documents: Documents;
  readonly presence: Presence;
  readonly clock: Clock;
}

export class OpenDocument {
  readonly id: DocumentId;
  readonly pin: 'redirect' | 'relay';
  readonly ref: DocumentRef;
  /** As the client was told, or will be by the reply. */
  access: Access | 'none';
  /** Pushes that were not answered yet. */
  unanswered = 0;
  readonly #opener: Opener;
  #state: 'opening' | 'here' | 'parting' | 'elsewhere' | 'left' = 'opening';
  /** What the session shows of itself on it. */
  #shown: JsonObject | null = null;
  /** The highest opNo that was acknowledged while this was being opened. */
  #ackedMeanwhile = 0;
  #rest: Pages | undefined;
  #pages = 0;

  constructor(id: DocumentId, pin: 'redirect' | 'relay', access: Access | 'none', opener: Opener) {
    this.id = id;
    this.pin = pin;
    this.ref = opener.documents.open(id, pin);
    this.access = access;
    this.#opener = opener;
  }

  get isOpen(): boolean {
    return this.#state !== 'opening' && this.#state !== 'left';
  }

  get isElsewhere(): boolean {
    return this.#state === 'elsewhere';
  }

  /** Whether its next owner can be listened to, and followed. Whoever is still being given pages is given them anew. */
  get canFollow(): boolean {
    return this.#state === 'here' && this.pin === 'redirect' && this.#rest === undefined;
  }

  /** The asker leaves the channel where it is refused, and nobody else has the document open by then. */
  async open({ since, epoch: heardOf }: OpenRequest) {
    const { presented, channel, documents, clock } = this.#opener;
    if (heardOf !== undefined) await documents.catchUp(this.id, heardOf);
    const opened = await this.ref.open({
      since,
      user: presented.user,
      session: presented.session,
      join: () => {
        if (this.#isLeft) return false;
        channel.join(this.id);
        this.#state = 'here';
        return true;
      },
      joinRelayed: async () => {
        if (this.#isLeft) return false;
        await channel.joinRelayed(this.id);
        return !this.#isLeft;
      },
    });
    if ('ok' in opened) return opened;
    if (opened.relayed) {
      const refusal = this.#relayedRefusal(opened.session.accepted);
      if (refusal !== undefined) {
        this.ref.leave();
        return refusal;
      }
      this.#state = 'elsewhere';
    }
    if (opened.page.next !== undefined) this.#rest = opened.rest;
    // Once the reply has left: a client knows the document by the reply.
    clock.after(0, () => this.#showOthers());
    const { position, owner, epoch, relayed, session, page } = opened;
    return { ok: true as const, position, access: this.access, owner, epoch, relayed, session, ...page };
  }

  /** The reply has come over the bus: much may have happened since the owner gave it. */
  #relayedRefusal(accepted: number): Refusal | undefined {
    // It is of a moment before an ack that has overtaken it: it would look like a history that was lost.
    if (accepted < this.#ackedMeanwhile) return refuse.unavailable('it changed meanwhile; ask again', 0);
    return this.#isLeft ? refuse.unavailable('the session went away', 0) : undefined;
  }

  async nextPage(next: number): Promise<object> {
    if (this.#rest === undefined || next !== this.#pages + 1)
      return refuse.invalid('next', 'that page was not offered');
    const reply = await this.ref.nextPage(this.#rest);
    if (!('page' in reply)) return reply;
    this.#pages++;
    if (reply.page.next === undefined) this.#rest = undefined;
    return { ok: true, ...reply.page };
  }

  /** A push that went out before this was opened was acknowledged. */
  acked(opNo: number): void {
    this.#ackedMeanwhile = Math.max(this.#ackedMeanwhile, opNo);
  }

  show(state: JsonObject | null): void {
    this.#shown = state;
    this.#present();
  }

  /** What its next owner publishes reaches the channel from now on, if that can be had while it is moving. */
  async listenAhead(isMoving: (slot: Slot) => boolean): Promise<void> {
    try {
      await this.#opener.channel.joinRelayed(this.id);
    } catch {
      return;
    }
    if (this.#state === 'here') this.#state = 'parting';
    if (!isMoving(slotOf(this.id))) this.stay();
  }

  /** It was about to move, and did not. */
  stay(): void {
    if (this.#state !== 'parting') return;
    // Out of what others publish and back into what is delivered here, in one tick: no frame falls between the two.
    this.#opener.channel.leave(this.id);
    this.#opener.channel.join(this.id);
    this.#state = 'here';
  }

  /** It has moved: is served on, over its new owner. False: that can not be done. */
  follow(): boolean {
    if (this.#state !== 'parting' || !this.ref.follow()) return false;
    this.#state = 'elsewhere';
    if (this.#shown !== null) this.#present();
    return true;
  }

  leave(): void {
    if (this.isOpen) {
      this.show(null);
      this.#opener.channel.leave(this.id);
      this.ref.leave();
    }
    this.#state = 'left';
  }

  get #isLeft(): boolean {
    return this.#state === 'left';
  }

  #showOthers(): void {
    const { channel, documents, presence } = this.#opener;
    if (this.#isLeft) return;
    if (this.isElsewhere) documents.askPresence(this.id);
    else channel.send('presence', presence.full(this.id));
  }

  #present(): void {
    const { presented, documents, presence } = this.#opener;
    const shown = { ...presented, state: this.#shown };
    if (this.isElsewhere) documents.present(this.id, shown);
    else presence.show(this.id, shown);
  }
}
