/**
 * A node: one server process, one incarnation. It builds the system out of the ports it is given, and owns it.
 *
 *   starting ── start() ──> serving ── drain() ──> draining ──> left
 *                              └── another node has its slots ──> lost: everyone is sent away, the process must end
 *
 * Calls go down: a channel's message to its session, from there to a document by its name, from there to the log. One
 * answer comes back. Committed entries go sideways, once, to the fan-out.
 */
import { LIMITS, PROTOCOL_VERSION, type NodeRef, type SessionId } from '@homeport/protocol';
import { Directory } from './cluster/directory.js';
import type { LeaseTable, NodeInfo } from './cluster/lease-table.js';
import { DEFAULT_LEASE_SETTINGS, SlotKeeper, refOf, type Claim, type LeaseSettings } from './cluster/slot-keeper.js';
import { DEFAULT_DOCUMENT_SETTINGS, DocumentHost, type DocumentSettings } from './document/document-host.js';
import type { DocumentLog } from './document/document-log.js';
import type { FanOut } from './document/fan-out.js';
import { sessionKey } from './document/session-marks.js';
import type { Cancel, Clock } from './runtime/clock.js';
import type { Probe } from './runtime/probe.js';
import type { Random } from './runtime/random.js';
import type { Identity } from './session/access.js';
import type { Channel } from './session/channel.js';
import { Presence } from './session/presence.js';
import { DEFAULT_SESSION_SETTINGS, Session, type SessionSettings } from './session/session.js';

export type NodeSettings = DocumentSettings & SessionSettings & LeaseSettings;

export const DEFAULT_NODE_SETTINGS: NodeSettings = {
  ...DEFAULT_DOCUMENT_SETTINGS,
  ...DEFAULT_SESSION_SETTINGS,
  ...DEFAULT_LEASE_SETTINGS,
};

export type NodeState = 'starting' | 'serving' | 'draining' | 'lost' | 'left';

export interface NodeStats {
  readonly documents: number;
  readonly records: number;
  readonly bytes: number;
  readonly sessions: number;
  readonly pendingPushes: number;
}

const DOCUMENT_TICK_MS = 1_000;
const SESSION_TICK_MS = 100;
const DRAIN_MS = 20_000;

export class HomeNode {
  readonly me: NodeRef;
  readonly directory: Directory;
  /** Resolves, once, with the reason why this process must end. */
  readonly lost: Promise<string>;

  readonly #keeper: SlotKeeper;
  readonly #host: DocumentHost;
  readonly #presence: Presence;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #probe: Probe;
  readonly #settings: NodeSettings;
  /** By session key: a session has one channel at a time. */
  readonly #sessions = new Map<string, Session>();
  #channels = 0;
  #state: NodeState = 'starting';
  #ticks: Cancel[] = [];

  constructor(parts: {
    readonly node: NodeInfo;
    readonly log: DocumentLog;
    readonly leases: LeaseTable;
    readonly fanOut: FanOut;
    readonly clock: Clock;
    readonly random: Random;
    readonly probe: Probe;
    readonly settings?: Partial<NodeSettings>;
  }) {
    const { node, log, leases, fanOut, clock, random, probe } = parts;
    this.#settings = { ...DEFAULT_NODE_SETTINGS, ...parts.settings };
    this.#clock = clock;
    this.#random = random;
    this.#probe = probe;
    this.me = refOf(node);
    this.#keeper = new SlotKeeper(node, leases, clock, probe, this.#settings);
    const settings = this.#settings;
    this.#host = new DocumentHost({ owner: node.id, log, tenures: this.#keeper, fanOut, clock, probe, settings });
    this.#presence = new Presence(fanOut, clock);
    this.directory = new Directory(this.#host, this.#keeper, this.me);
    this.lost = this.#keeper.lost.then((reason) => {
      this.#host.dropAll();
      this.#end('lost', 'moved');
      return reason;
    });
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Takes every slot. Rejects, with what to do, beside a living node. */
  async start(claim: Claim): Promise<void> {
    await this.#host.start();
    await this.#keeper.claim(claim);
    if (this.#state !== 'starting') throw new Error('this node lost its place while it started');
    this.#state = 'serving';
    this.#repeat(DOCUMENT_TICK_MS, () => {
      this.#host.tick();
      this.#presence.tick();
    });
    this.#repeat(SESSION_TICK_MS, () => {
      for (const session of this.#sessions.values()) session.tick();
    });
  }

  /** A channel of an authenticated client. An older channel of the same session is closed. */
  connect(channel: Channel, identity: Identity, wanted: SessionId | undefined): Session {
    const id = wanted ?? this.#random.id();
    const key = sessionKey(identity.user, id);
    this.#sessions.get(key)?.end('replaced');
    const session = new Session({
      id,
      identity,
      channel,
      channelNumber: ++this.#channels,
      documents: this.directory,
      presence: this.#presence,
      clock: this.#clock,
      probe: this.#probe,
      settings: this.#settings,
    });
    this.#sessions.set(key, session);
    const { user } = identity;
    channel.send('hello', { node: this.me, session: id, user, protocol: PROTOCOL_VERSION, limits: LIMITS });
    return session;
  }

  /** The channel of the session is gone. */
  disconnect(session: Session): void {
    session.closed();
    const key = sessionKey(session.user, session.id);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
  }

  /** Takes no more work, waits until what was taken is committed and answered, writes the checkpoints, leaves. */
  async drain(): Promise<void> {
    if (this.#state !== 'serving') return;
    this.#state = 'draining';
    await this.#host.drain(DRAIN_MS);
    this.#end('left', 'unavailable');
    try {
      await this.#keeper.leave();
    } catch (error) {
      this.#probe.tell('warn', 'the slots could not be given back; who comes next waits', { reason: String(error) });
    }
  }

  stats(): NodeStats {
    return { ...this.#host.stats(), sessions: this.#sessions.size };
  }

  #end(state: 'lost' | 'left', why: string): void {
    this.#state = state;
    for (const cancel of this.#ticks) cancel();
    for (const session of this.#sessions.values()) session.end(why);
    this.#sessions.clear();
  }

  #repeat(periodMs: number, task: () => void): void {
    const index = this.#ticks.length;
    const next = () => {
      this.#ticks[index] = this.#clock.after(periodMs, () => {
        next();
        task();
      });
    };
    next();
  }
}
