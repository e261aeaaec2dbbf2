/**
 * Keeps one document open on the channel that its pin has chosen, and its replica caught up.
 *
 *   away      open nowhere: there is no channel, or it is not time yet
 *   opening   `open` or one of its pages is unanswered, or what they brought is not shown yet
 *   live      frames come, pushes may go
 *   refused   the server does not let us in; it may change its mind (`access`)
 *   closed    for good
 *
 * Everywhere the document is opened from the position that is shown. What the owner remembers of our session
 * settles pending pushes before anything it brings is shown: a snapshot that holds an increment already must not be
 * shown with the same increment on top.
 */
import type {
  Access,
  AccessChange,
  EntriesFrame,
  Epoch,
  HeadBeacon,
  Moved,
  NodeRef,
  OpenedHead,
  Page,
  Refusal,
  Seq,
  Timeline,
} from '@homeport/protocol';
import { CatchUp } from './catch-up.js';
import type { Channel } from './channel.js';
import type { Clock } from './clock.js';
import { HomeportError } from './homeport-error.js';
import { Opening } from './opening.js';
import type { PinKind } from './pin.js';
import type { Random } from './random.js';
import type { Replica } from './replica.js';

export interface SubscriptionPort {
  readonly clock: Clock;
  readonly random: Random;
  /** The highest that is known. */
  epoch(): Epoch | undefined;
  opened(head: OpenedHead): void;
  /** The document has moved and is served here until we leave. False: it is not. */
  told(moved: Moved): boolean;
  /** Refused with `moved`: not open any more, until `open`. */
  moved(to: Omit<Moved, 'document'>): void;
  /** Not open any more, until `open`; not before so much time is over. */
  again(askedMs: number): void;
  unauthenticated(message: string): void;
  /** The document can not go on under the present session id. */
  sessionEnded(): void;
  /** Pushes may go, and presence is unknown to the server. */
  live(): void;
  /** Not live any more. */
  left(): void;
  refused(error: HomeportError): void;
  /** Something that a status tells. */
  changed(): void;
}

/** The channel, and what is asked of the node there. */
interface Place {
  readonly channel: Channel;
  readonly kind: PinKind;
}

export type SubscriptionStage =
  | { readonly at: 'away' }
  | { readonly at: 'opening'; readonly place: Place; readonly opening: Opening }
  | { readonly at: 'live'; readonly place: Place }
  | { readonly at: 'refused'; readonly place: Place | undefined; readonly error: HomeportError }
  | { readonly at: 'closed' };

export class Subscription {
  readonly #id: string;
  readonly #replica: Replica;
  readonly #port: SubscriptionPort;
  readonly #catchUp: CatchUp;
  #stage: SubscriptionStage = { at: 'away' };
  /** `anew`: the local copy is of no use, the next open asks for a snapshot. */
  #from: 'shown' | 'anew' = 'shown';
  /** Of the present open. */
  #timeline: Timeline = '';
  #access: Access | 'none' = 'none';
  #owner: NodeRef | undefined;
  #relayed = false;

  constructor(id: string, replica: Replica, port: SubscriptionPort) {
    this.#id = id;
    this.#replica = replica;
    this.#port = port;
    this.#catchUp = new CatchUp({
      clock: port.clock,
      random: port.random,
      install: (records, seq, entries) => {
        this.#from = 'shown';
        if (!replica.install(records, { timeline: this.#timeline, seq }, entries)) this.#startAnew();
        port.changed();
      },
      apply: (entries) => {
        if (!replica.apply(entries, this.#timeline)) this.#startAnew();
        port.changed();
      },
      settled: () => this.#settled(),
      fetch: (from, answer) => this.channel?.request('entries', { document: id, from }, answer),
      refused: (refusal) => this.interrupted(refusal),
    });
  }

  get stage(): SubscriptionStage {
    return this.#stage;
  }

  get channel(): Channel | undefined {
    return this.#place?.channel;
  }

  get access(): Access | 'none' {
    return this.#access;
  }

  get owner(): NodeRef | undefined {
    return this.#owner;
  }

  /** Whether another node than the owner serves it. */
  get relayed(): boolean {
    return this.#relayed;
  }

  open(channel: Channel, kind: PinKind): void {
    if (this.#stage.at !== 'closed') this.#open({ channel, kind });
  }

  disconnected(): void {
    if (this.#stage.at !== 'closed') this.#enter({ at: 'away' });
  }

  close(): void {
    this.#enter({ at: 'closed' });
  }

  refuse(error: HomeportError): void {
    this.#access = 'none';
    this.#enter({ at: 'refused', place: this.#place, error });
    this.#port.refused(error);
  }

  receive(event: string, payload: unknown): void {
    switch (event) {
      case 'entries':
        return this.#catchUp.frame(payload as EntriesFrame);
      case 'head':
        return this.#catchUp.beacon((payload as HeadBeacon).seq);
      case 'moved':
        return this.#moved(payload as Moved);
      case 'resume':
        return this.#reopen();
      case 'access':
        return this.#accessChanged((payload as AccessChange).access);
    }
  }

  /** A refusal that is about the document, its owner or our session. */
  interrupted(refusal: Refusal): void {
    if (this.#stage.at !== 'live' && this.#stage.at !== 'opening') return;
    switch (refusal.code) {
      case 'moved':
        this.#enter({ at: 'away' });
        return this.#port.moved(refusal);
      case 'unavailable':
      case 'rate_limited':
        this.#enter({ at: 'away' });
        return this.#port.again(refusal.retryAfterMs);
      case 'not_open':
      case 'gap':
        this.#enter({ at: 'away' });
        return this.#port.again(0);
      case 'resync':
        return this.#startAnew();
      case 'unauthenticated':
        return this.#port.unauthenticated(refusal.message);
      case 'superseded':
      case 'session_conflict':
      case 'expired':
        this.#replica.giveUpSent();
        return this.#port.sessionEnded();
      case 'conflict':
      case 'invalid':
      case 'too_large':
      case 'forbidden':
      case 'unsupported_protocol':
        return this.refuse(HomeportError.from(refusal));
    }
  }

  #open(place: Place): void {
    const since = this.#from === 'shown' ? this.#replica.shown : undefined;
    const epoch = this.#port.epoch();
    const request = {
      document: this.#id,
      ...(since && { since }),
      ...(epoch !== undefined && { epoch }),
      ...(place.kind === 'relay' && { pin: place.kind }),
    };
    const opening = new Opening(place.channel, request, {
      head: (head, page) => this.#headCame(head, page),
      page: (page) => this.#catchUp.page(page),
      refused: (refusal) => this.interrupted(refusal),
    });
    this.#enter({ at: 'opening', place, opening });
    this.#catchUp.begin();
  }

  /** Where it is. */
  #reopen(): void {
    if (this.#place !== undefined) this.#open(this.#place);
  }

  get #place(): Place | undefined {
    return 'place' in this.#stage ? this.#stage.place : undefined;
  }

  #moved(moved: Moved): void {
    if (this.#stage.at === 'live' && this.#port.told(moved)) return;
    this.interrupted({ ok: false, code: 'moved', message: 'the document has moved', ...moved });
  }

  #startAnew(): void {
    this.#from = 'anew';
    this.#reopen();
  }

  /** False: what follows is not wanted. */
  #headCame(head: OpenedHead, page: Page): boolean {
    this.#access = head.access;
    this.#owner = head.owner;
    this.#relayed = head.relayed;
    this.#port.opened(head);
    this.#timeline = head.position.timeline;
    if (this.#replica.isLost(head)) {
      this.#replica.reviveLost(head);
      this.#from = 'anew';
      this.#port.sessionEnded();
      if (page.snapshot === undefined) {
        // Entries that follow a state which never was are of no use.
        this.#reopen();
        return false;
      }
    } else if (!this.#replica.recall(head)) {
      this.#replica.giveUpSent();
      this.#port.sessionEnded();
    }
    this.#replica.pending.begin(head.position, head.session.accepted);
    this.#catchUp.opened(page, this.#replica.shown?.seq ?? (0 as Seq), head.position.seq);
    this.#port.changed();
    return true;
  }

  /** All that `open` brought is shown. */
  #settled(): void {
    const stage = this.#stage;
    if (stage.at !== 'opening') return;
    this.#stage = { at: 'live', place: stage.place };
    this.#port.live();
  }

  #accessChanged(access: Access | 'none'): void {
    this.#access = access;
    if (access === 'none' && this.#stage.at !== 'refused') {
      return this.refuse(new HomeportError('forbidden', 'you may not read this document any more'));
    }
    if (access !== 'none' && this.#stage.at === 'refused') this.#reopen();
    this.#port.changed();
  }

  /** To a stage that is not `live`. */
  #enter(stage: SubscriptionStage): void {
    if (this.#stage.at === 'opening') this.#stage.opening.end();
    this.#catchUp.away();
    this.#stage = stage;
    this.#port.left();
    this.#port.changed();
  }
}
