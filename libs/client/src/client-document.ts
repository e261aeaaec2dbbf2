/**
 * One open document of a client, as its parts: the replica (what is shown), the sender (own pushes on their way), the
 * pin (on which socket), the subscription (keeps it open there and caught up), and presence. Here they meet, and nowhere
 * else.
 *
 * Pushes go only while the subscription is live. What was sent and not answered before the document is opened at a new
 * place, or once more, goes again after it.
 */
import {
  LIMITS,
  refuse,
  type Limits,
  type Op,
  type PresenceFrame,
  type RecordState,
  type SessionId,
} from '@homeport/protocol';
import type { Channel } from './channel.js';
import type { Clock } from './clock.js';
import type { Commit } from './commit.js';
import type { Connection } from './connection.js';
import type { Connections } from './connections.js';
import { HomeportError } from './homeport-error.js';
import { Listeners } from './listeners.js';
import type { PushKind } from './pending-push.js';
import { Pin, type PinKind } from './pin.js';
import { Presence } from './presence.js';
import type { Random } from './random.js';
import type { Change, PresenceFields } from './record-types.js';
import { Replica } from './replica.js';
import { Sender } from './sender.js';
import type { AckSample, BoardStatus, ClientStatus, ConnectionStatus } from './status.js';
import { Subscription, type SubscriptionStage } from './subscription.js';

export interface ClientDocumentPort {
  readonly clock: Clock;
  readonly random: Random;
  readonly connections: Connections;
  readonly frameMs: number;
  readonly presence: PresenceFields | undefined;
  /** The highest opNo that an earlier board of this document used in this session. */
  readonly usedOpNo: number;
  session(): SessionId;
  clientStatus(): ClientStatus;
  report(error: unknown): void;
  /** Calls `decide`, when the work at hand is done. */
  decideSoon(): void;
  sessionEnded(): void;
  /** Perhaps `hasAllAnswers` now. */
  answered(): void;
  closed(usedOpNo: number): void;
}

export class ClientDocument {
  readonly id: string;
  readonly presence: Presence;
  readonly statusChanges: Listeners<BoardStatus>;
  /** Resolves when the document is live for the first time. */
  readonly opened: Promise<void>;
  readonly #port: ClientDocumentPort;
  readonly #replica: Replica;
  readonly #sender: Sender;
  readonly #pin: Pin;
  readonly #subscription: Subscription;
  #firstOpen: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  #status: BoardStatus;

  constructor(id: string, port: ClientDocumentPort) {
    this.id = id;
    this.#port = port;
    const { clock, random, connections, frameMs, usedOpNo } = port;
    const session = (): SessionId => port.session();
    const report = (error: unknown): void => port.report(error);
    this.statusChanges = new Listeners(report);
    this.#replica = new Replica({
      clock,
      usedOpNo,
      session,
      user: () => port.clientStatus().user,
      report,
      answered: () => this.#answered(),
    });
    this.#pin = new Pin(id, {
      clock,
      random,
      connections,
      open: (channel, kind) => this.#openOn(channel, kind),
      decideSoon: () => port.decideSoon(),
    });
    this.#subscription = new Subscription(id, this.#replica, {
      clock,
      random,
      epoch: () => this.#pin.route.epoch,
      opened: (head) => this.#pin.opened(head),
      told: (moved) => this.#pin.told(moved),
      moved: (to) => this.#pin.moved(to),
      again: (askedMs) => this.#pin.again(askedMs),
      unauthenticated: (message) => this.#pin.connection?.unauthenticated(message),
      sessionEnded: () => port.sessionEnded(),
      live: () => this.#live(),
      left: () => {
        this.#sender.shut();
        this.presence.away();
      },
      refused: (error) => this.#refused(error),
      changed: () => this.refreshStatus(),
    });
    this.#sender = new Sender(this.#replica.pending, {
      clock,
      frameMs,
      windowMax: () => this.#limits.pendingPushes,
      emit: (push, answer) => this.#subscription.channel?.request('push', { document: id, ...push }, answer),
      acknowledged: (opNo, { position }) => this.#replica.acknowledged(opNo, position),
      refused: (push, refusal) => this.#replica.rollBack(push, HomeportError.from(refusal)),
      interrupted: (refusal) => this.#subscription.interrupted(refusal),
    });
    const send = (state: PresenceFields | null): void =>
      this.#subscription.channel?.send('presence', { document: id, state });
    this.presence = new Presence({ clock, session, send, onThrow: report }, port.presence);
    this.opened = new Promise((resolve, reject) => (this.#firstOpen = { resolve, reject }));
    this.#status = this.#describe();
  }

  get changes(): Listeners<Change> {
    return this.#replica.changes;
  }

  get status(): BoardStatus {
    return this.#status;
  }

  get ackSamples(): readonly AckSample[] {
    return this.#replica.ackSamples.latest;
  }

  records(): ReadonlyMap<string, RecordState> {
    return this.#replica.records();
  }

  write(ops: readonly Op[], kind: PushKind): Commit {
    const forbidden = this.#forbidden();
    if (forbidden !== undefined) return this.#replica.refuse(forbidden);
    const { commit, queued } = this.#replica.write(ops, kind, this.#limits);
    if (queued !== undefined) this.#sender.written(queued === 'whole');
    this.refreshStatus();
    return commit;
  }

  async flush(): Promise<void> {
    const all = this.#replica.pending.waitForAll();
    this.#sender.written(true);
    await Promise.all(all);
  }

  close(reason?: unknown): void {
    if (this.#subscription.stage.at === 'closed') return;
    this.#pin.close();
    this.#subscription.close();
    this.#replica.abandon(new HomeportError('closed', 'the board was closed', { cause: reason }));
    this.#firstOpen?.reject(reason ?? new HomeportError('closed', 'the board was closed before it was open'));
    this.#firstOpen = undefined;
    this.presence.close();
    this.refreshStatus();
    this.#port.closed(this.#replica.pending.usedOpNo);
  }

  // ── what the client does ─────────────────────────────────────────────────────────────────────────────────────────

  /** Something changed in the connections or in what is known of the owner. */
  decide(): void {
    this.#pin.decide();
  }

  uses(connection: Connection): boolean {
    return this.#pin.uses(connection);
  }

  ended(channel: Channel): void {
    if (this.#pin.ended(channel)) this.#subscription.disconnected();
  }

  /** The server will never let this client in. */
  stop(error: HomeportError): void {
    if (this.#subscription.stage.at !== 'closed') this.#subscription.refuse(error);
  }

  receive(channel: Channel, event: string, payload: unknown): void {
    // The word of a place that was left.
    if (channel !== this.#subscription.channel) return;
    if (event === 'presence') this.presence.receive(payload as PresenceFrame);
    else this.#subscription.receive(event, payload);
  }

  /** Nothing is open under the present session id: its end would leave no question. */
  get hasAllAnswers(): boolean {
    const { at } = this.#subscription.stage;
    return at === 'refused' || at === 'closed' || (at === 'live' && this.#replica.pending.unanswered === 0);
  }

  /** The session is about to end: nothing new is sent under it. */
  hold(): void {
    this.#sender.hold();
  }

  /** There is a new session id, which the next channel will carry. */
  sessionRenewed(): void {
    this.#replica.giveUpSent();
    this.#replica.pending.renumber();
    this.#sender.release();
    this.refreshStatus();
  }

  refreshStatus(): void {
    const status = this.#describe();
    const names = Object.keys(status) as (keyof BoardStatus)[];
    if (names.every((name) => status[name] === this.#status[name])) return;
    this.#status = status;
    this.statusChanges.emit(status);
  }

  // ── what the parts say ───────────────────────────────────────────────────────────────────────────────────────────

  #openOn(channel: Channel, kind: PinKind): void {
    this.#sender.sendAgain();
    this.#subscription.open(channel, kind);
  }

  #live(): void {
    this.#pin.live();
    this.#firstOpen?.resolve();
    this.#firstOpen = undefined;
    this.presence.opened();
    this.#sender.open();
    this.#answered();
  }

  #answered(): void {
    this.#sender.settled();
    this.#port.answered();
    this.refreshStatus();
  }

  #refused(error: HomeportError): void {
    this.#pin.refused();
    if (this.#firstOpen !== undefined) return this.close(error);
    this.#replica.giveUpSent();
    this.#replica.abandon(error);
    this.#port.report(error);
    this.#port.answered();
  }

  get #limits(): Limits {
    return this.#subscription.channel?.hello.limits ?? LIMITS;
  }

  #forbidden(): HomeportError | undefined {
    const { stage, access } = this.#subscription;
    if (stage.at === 'closed') return new HomeportError('closed', 'the board is closed');
    if (stage.at === 'refused') return stage.error;
    return access === 'write' ? undefined : HomeportError.from(refuse.forbidden('you may only read this document'));
  }

  #describe(): BoardStatus {
    const client = this.#port.clientStatus();
    const { stage, access, owner, relayed } = this.#subscription;
    return {
      connection: connectionOf(stage, client.connection),
      pending: this.#replica.pending.count,
      position: this.#replica.position,
      node: owner,
      relayed,
      access,
      expired: this.#replica.expired,
      error: stage.at === 'refused' ? stage.error : client.error,
    };
  }
}

function connectionOf({ at }: SubscriptionStage, client: ConnectionStatus): ConnectionStatus {
  switch (at) {
    case 'closed':
    case 'refused':
    case 'live':
      return at;
    case 'away':
      return client === 'live' ? 'connecting' : client;
    case 'opening':
      return 'connecting';
  }
}
