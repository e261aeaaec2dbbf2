/**
 * Keeps one document open on whatever channel there is, and its replica caught up.
 *
 *   offline   no channel
 *   opening   `open` or one of its pages is unanswered, or what they brought is not shown yet
 *   live      frames come, pushes may go
 *   pausing   the server asked to come back later, or the owner is moving
 *   refused   the server does not let us in; it may change its mind (`access`)
 *   closed    for good
 *
 * On every channel the document is opened from the position that is shown. What the owner remembers of our session
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
import type { Cancel, Clock } from './clock.js';
import { backoffMs } from './connection-state.js';
import { HomeportError } from './homeport-error.js';
import { Opening } from './opening.js';
import type { Random } from './random.js';
import type { Replica } from './replica.js';

export interface SubscriptionPort {
  readonly clock: Clock;
  readonly random: Random;
  /** The epoch of the last `moved` that was followed. */
  epoch(): Epoch | undefined;
  /** Follow the document to its owner, if that is elsewhere. */
  moved(owner: NodeRef, epoch: Epoch): void;
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

export type SubscriptionStage =
  | { readonly at: 'offline' }
  | { readonly at: 'opening'; readonly channel: Channel; readonly opening: Opening }
  | { readonly at: 'live'; readonly channel: Channel }
  | { readonly at: 'pausing'; readonly channel: Channel; readonly cancel: Cancel }
  | { readonly at: 'refused'; readonly channel: Channel | undefined; readonly error: HomeportError }
  | { readonly at: 'closed' };

export class Subscription {
  readonly #id: string;
  readonly #replica: Replica;
  readonly #port: SubscriptionPort;
  readonly #catchUp: CatchUp;
  #stage: SubscriptionStage = { at: 'offline' };
  /** `anew`: the local copy is of no use, the next open asks for a snapshot. */
  #from: 'shown' | 'anew' = 'shown';
  /** Of the present open. */
  #timeline: Timeline = '';
  #access: Access | 'none' = 'none';
  #owner: NodeRef | undefined;
  /** Opens in a row that did not lead to `live`. */
  #attempts = 0;

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
    const stage = this.#stage;
    return stage.at === 'offline' || stage.at === 'closed' ? undefined : stage.channel;
  }

  get access(): Access | 'none' {
    return this.#access;
  }

  get owner(): NodeRef | undefined {
    return this.#owner;
  }

  connected(channel: Channel): void {
    if (this.#stage.at !== 'closed') this.#open(channel);
  }

  disconnected(): void {
    if (this.#stage.at !== 'closed') this.#enter({ at: 'offline' });
  }

  close(): void {
    this.#enter({ at: 'closed' });
  }

  refuse(error: HomeportError): void {
    this.#access = 'none';
    this.#enter({ at: 'refused', channel: this.channel, error });
    this.#port.refused(error);
  }

  receive(event: string, payload: unknown): void {
    switch (event) {
      case 'entries':
        return this.#catchUp.frame(payload as EntriesFrame);
      case 'head':
        return this.#catchUp.beacon((payload as HeadBeacon).seq);
      case 'moved':
        return this.interrupted({ ok: false, code: 'moved', message: 'the document has moved', ...(payload as Moved) });
      case 'resume':
        return this.#reopen();
      case 'access':
        return this.#accessChanged((payload as AccessChange).access);
    }
  }

  /** A refusal that is about the document, its owner or our session. */
  interrupted(refusal: Refusal): void {
    const stage = this.#stage;
    if (stage.at !== 'live' && stage.at !== 'opening') return;
    const { random } = this.#port;
    switch (refusal.code) {
      case 'moved':
        return this.#pause(stage.channel, refusal.afterMs, () => {
          this.#port.moved(refusal.owner, refusal.epoch);
          this.#reopen();
        });
      case 'unavailable':
      case 'rate_limited':
        return this.#pause(stage.channel, refusal.retryAfterMs * (1 + random.next() / 2), () => this.#reopen());
      case 'not_open':
      case 'gap':
        return this.#pause(stage.channel, backoffMs(this.#attempts, random), () => this.#reopen());
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

  #open(channel: Channel): void {
    this.#attempts++;
    const since = this.#from === 'shown' ? this.#replica.shown : undefined;
    const epoch = this.#port.epoch();
    const request = { document: this.#id, ...(since && { since }), ...(epoch !== undefined && { epoch }) };
    const opening = new Opening(channel, request, {
      head: (head, page) => this.#headCame(head, page),
      page: (page) => this.#catchUp.page(page),
      refused: (refusal) => this.interrupted(refusal),
    });
    this.#enter({ at: 'opening', channel, opening });
    this.#catchUp.begin();
  }

  /** On the channel that there is. */
  #reopen(): void {
    const { channel } = this;
    if (channel !== undefined) this.#open(channel);
  }

  #startAnew(): void {
    this.#from = 'anew';
    this.#reopen();
  }

  /** False: what follows is not wanted. */
  #headCame(head: OpenedHead, page: Page): boolean {
    this.#access = head.access;
    this.#owner = head.owner;
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
    this.#stage = { at: 'live', channel: stage.channel };
    this.#attempts = 0;
    this.#port.live();
  }

  #pause(channel: Channel, delayMs: number, task: () => void): void {
    this.#enter({ at: 'pausing', channel, cancel: this.#port.clock.after(delayMs, task) });
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
    if (this.#stage.at === 'pausing') this.#stage.cancel();
    if (this.#stage.at === 'opening') this.#stage.opening.end();
    this.#catchUp.away();
    this.#stage = stage;
    this.#port.left();
    this.#port.changed();
  }
}
