/**
 * A node: one server process, one incarnation. It builds the system out of the ports it is given, and owns it.
 *
 *   starting ── start() ──> serving ── drain() ──> draining ──> left
 *                              └── another node has its slots ──> lost: everyone is sent away, the process must end
 *
 * Calls go down: a channel's message to its session, from there to a document by its name, from there to the log. One
 * answer comes back. Committed entries go sideways, once, to the fan-out.
 */
import {
  LIMITS,
  PROTOCOL_VERSION,
  type Access,
  type DocumentId,
  type NodeRef,
  type SessionId,
  type UserId,
} from '@homeport/protocol';
import { Arrival } from './cluster/arrival.js';
import type { Bus } from './cluster/bus.js';
import { AllSlots, type Claim } from './cluster/claim.js';
import { Cluster } from './cluster/cluster.js';
import type { ClusterView, NodeLoad } from './cluster/cluster-view.js';
import { Directory } from './cluster/directory.js';
import type { LeaseTable, NodeInfo } from './cluster/lease-table.js';
import { Membership } from './cluster/membership.js';
import type { Peers } from './cluster/peers.js';
import { SlotKeeper, refOf } from './cluster/slot-keeper.js';
import { SlotMap } from './cluster/slot-map.js';
import { DocumentHost } from './document/document-host.js';
import type { DocumentLog } from './document/document-log.js';
import type { Presented } from './document/document-ref.js';
import type { FanOut } from './document/fan-out.js';
import { LocalDocument } from './document/local-document.js';
import { SLOTS, type LostSlot, type Slot } from './document/slot.js';
import { DEFAULT_NODE_SETTINGS, type NodeSettings } from './node-settings.js';
import { repeat, type Cancel, type Clock } from './runtime/clock.js';
import type { Probe } from './runtime/probe.js';
import type { Random } from './runtime/random.js';
import type { Identity } from './session/access.js';
import type { Revocation, RevocationTable } from './session/revocation-table.js';
import { Revocations } from './session/revocations.js';
import type { Channel } from './session/channel.js';
import { Presence } from './session/presence.js';
import { Session } from './session/session.js';
import { Sessions } from './session/sessions.js';

export type NodeState = 'starting' | 'serving' | 'draining' | 'lost' | 'left';

export interface NodeStats {
  readonly documents: number;
  readonly records: number;
  readonly bytes: number;
  readonly sessions: number;
  readonly pendingPushes: number;
  /** Pushes and reads that wait for their slot to have moved. */
  readonly atGates: number;
  /** That this node has. */
  readonly slots: number;
  /** Documents of other nodes with sessions here. */
  readonly relayed: number;
}

const DOCUMENT_TICK_MS = 1_000;
const SESSION_TICK_MS = 100;
const DRAIN_MS = 20_000;

export class HomeNode {
  readonly me: NodeRef;
  readonly directory: Directory;
  /** Resolves, once, with the reason why this process must end. */
  readonly lost: Promise<string>;

  readonly #info: NodeInfo;
  readonly #leases: LeaseTable;
  readonly #keeper: SlotKeeper;
  readonly #membership: Membership;
  readonly #map: SlotMap;
  readonly #host: DocumentHost;
  readonly #presence: Presence;
  readonly #revocations: Revocations;
  readonly #cluster: Cluster | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #probe: Probe;
  readonly #settings: NodeSettings;
  readonly #sessions: Sessions;
  #lastChannel = 0;
  #startedAt = 0;
  #state: NodeState = 'starting';
  readonly #ticks: Cancel[] = [];

  constructor(parts: {
    readonly node: Omit<NodeInfo, 'leaseTtlMs'>;
    readonly log: DocumentLog;
    readonly leases: LeaseTable;
    readonly revocations: RevocationTable;
    readonly fanOut: FanOut;
    readonly clock: Clock;
    readonly random: Random;
    readonly probe: Probe;
    /** The ways to other nodes; without them this one serves alone. */
    readonly others?: { readonly bus: Bus; readonly peers: Peers };
    readonly settings?: Partial<NodeSettings>;
  }) {
    const { log, leases, fanOut, clock, random, probe, others } = parts;
    const settings = { ...DEFAULT_NODE_SETTINGS, ...parts.settings };
    const node: NodeInfo = { ...parts.node, leaseTtlMs: settings.ttlMs };
    this.#settings = settings;
    this.#clock = clock;
    this.#sessions = new Sessions(clock);
    this.#random = random;
    this.#probe = probe;
    this.#info = node;
    this.#leases = leases;
    this.me = refOf(node);
    const membership = new Membership(node.id, settings);
    const map = new SlotMap();
    const estate = {
      gained: (slots: readonly Slot[]) => this.#gained(slots),
      lost: (slots: readonly LostSlot[]) => this.#lostSlots(slots),
    };
    this.#membership = membership;
    this.#map = map;
    const keeper = new SlotKeeper({ me: node, leases, membership, map, estate, clock, probe, settings });
    this.#keeper = keeper;
    const host = new DocumentHost({ owner: node.id, log, tenures: keeper, fanOut, clock, probe, settings });
    this.#host = host;
    this.#revocations = new Revocations(parts.revocations, probe);
    this.#presence = new Presence(fanOut, clock, (document) => host.isRelayed(document));
    const local = (document: DocumentId) => new LocalDocument(document, host, keeper, this.me);
    const common = { me: node, leases, keeper, membership, map, host, fanOut, clock, probe, settings };
    this.#cluster = others && new Cluster({ ...common, ...others, local, household: this.#household() });
    this.directory = new Directory(local, this.#cluster);
    this.lost = keeper.lost.then((reason) => {
      this.#host.dropAll();
      this.#end('lost', 'moved');
      return reason;
    });
  }

  get state(): NodeState {
    return this.#state;
  }

  /** `claim`: of a node that serves alone. Rejects, with what to do, where this node may not serve. */
  async start(claim: Claim): Promise<void> {
    await this.#host.start();
    await this.#keeper.join();
    try {
      await this.#revocations.readAtStart();
      if (this.#cluster === undefined) await this.#takeAll(claim);
      else {
        await this.#arrival().settle();
        await this.#cluster.start();
      }
      this.#keeper.keep();
    } catch (error) {
      // Without a row that looks alive, the next start need not wait for this one.
      this.#cluster?.stop();
      await this.#keeper.leave().catch(() => {});
      throw error;
    }
    this.#state = 'serving';
    this.#startedAt = this.#clock.wallMs();
    this.#ticks.push(
      repeat(this.#clock, DOCUMENT_TICK_MS, () => {
        this.#host.tick();
        this.#presence.tick((node) => this.#membership.find(node) !== undefined);
      }),
      repeat(this.#clock, SESSION_TICK_MS, () => {
        if (this.#revocations.isBehind(this.#membership.revoked)) void this.#heedRevocations();
        this.#sessions.tick();
      }),
    );
  }

  /** A channel of an authenticated client. An older channel of the same session is closed. */
  connect(channel: Channel, identity: Identity, wanted: SessionId | undefined): Session {
    const id = wanted ?? this.#random.id();
    const session = new Session({
      id,
      identity,
      channel,
      channelNumber: this.#nextChannel(),
      documents: this.directory,
      presence: this.#presence,
      revocations: this.#revocations,
      clock: this.#clock,
      probe: this.#probe,
      settings: this.#settings,
    });
    this.#sessions.add(session);
    const { user } = identity;
    channel.send('hello', { node: this.me, session: id, user, protocol: PROTOCOL_VERSION, limits: LIMITS });
    return session;
  }

  /** The channel of the session is gone. */
  disconnect(session: Session): void {
    session.closed();
    this.#sessions.remove(session);
  }

  /** What the identity may do now. */
  accessTo(identity: Identity, document: DocumentId): Access | 'none' {
    return this.#revocations.accessTo(identity, document);
  }

  /**
   * Tokens that were issued to the user before this count no longer on documents that match. Resolves when that is
   * committed, and in effect here; other nodes see it at the latest with their next renewal.
   */
  async revoke(subject: UserId, pattern: string): Promise<Revocation> {
    const revocation = await this.#revocations.revoke(subject, pattern);
    this.#cluster?.revoked();
    this.#sessions.reviewRights(new Set([subject]));
    return revocation;
  }

  /**
   * Gives its slots to others, if there are any, and serves their sessions until they have gone there; waits until what
   * was taken is committed and answered; leaves.
   */
  async drain(): Promise<void> {
    if (this.#state !== 'serving') return;
    this.#state = 'draining';
    const endMs = this.#clock.monotonicMs() + DRAIN_MS;
    if (this.#cluster !== undefined) {
      await this.#cluster.drain(DRAIN_MS);
      await this.#sessions.parted(endMs);
    }
    await this.#host.drain(Math.max(0, endMs - this.#clock.monotonicMs()));
    this.#end('left', 'unavailable');
    this.#cluster?.stop();
    try {
      await this.#keeper.leave();
      this.#cluster?.farewell();
    } catch (error) {
      this.#probe.tell('warn', 'the slots could not be given back; who comes next waits', { reason: String(error) });
    }
  }

  /** Whether this node would answer for the slot from memory at this moment. */
  mayServe(slot: Slot): boolean {
    return this.#keeper.mayServe(slot) && !this.#host.isFrozen(slot);
  }

  /** What this node knows of the cluster, for who looks after it. */
  view(): ClusterView {
    const nodes = [...this.#membership.living].sort((one, other) => (one.name < other.name ? -1 : 1));
    const indexes = new Map(nodes.map(({ id }, index) => [id, index]));
    const load = (id: string) => (id === this.me.id ? this.#load() : this.#cluster?.loadOf(id));
    const { renewalMs } = this.#keeper;
    return {
      me: this.me.id,
      nodes: nodes.map(({ id, name, url, state }) => {
        return { id, name, url, state, slots: this.#map.countOf(id), load: load(id) };
      }),
      slots: Array.from({ length: SLOTS }, (_, slot) => indexes.get(this.#map.ownerOf(slot as Slot) ?? '') ?? -1),
      version: this.#map.version,
      timeline: this.#cluster?.timeline ?? [{ kind: 'joined', node: this.me.name, at: this.#startedAt }],
      postgres: { state: renewalMs === undefined ? 'away' : 'up', renewalMs },
      redis: { state: this.#cluster === undefined ? 'off' : this.#cluster.isBusUp ? 'up' : 'away' },
    };
  }

  stats(): NodeStats {
    const relayed = this.#cluster?.relayedCount ?? 0;
    return { ...this.#host.stats(), sessions: this.#sessions.count, slots: this.#keeper.slots.length, relayed };
  }

  #takeAll(claim: Claim): Promise<void> {
    return new AllSlots(this.#info, this.#leases, this.#keeper, this.#clock, this.#settings).take(claim);
  }

  #arrival(): Arrival {
    const [me, leases, clock, probe] = [this.#info, this.#leases, this.#clock, this.#probe];
    return new Arrival({ me, leases, clock, probe, marginMs: this.#settings.marginMs });
  }

  #gained(slots: readonly Slot[]): void {
    this.#host.gained(slots);
    this.#sessions.gained(slots);
  }

  #lostSlots(lost: readonly LostSlot[]): void {
    this.#host.drop(lost);
    this.#sessions.moved(lost);
  }

  async #heedRevocations(): Promise<void> {
    this.#sessions.reviewRights(await this.#revocations.read());
  }

  #household() {
    return {
      revoked: () => void this.#heedRevocations(),
      load: () => this.#load(),
      listenAhead: (isMoving: (slot: Slot) => boolean) => this.#sessions.listenAhead(isMoving),
      stayed: (isMoving: (slot: Slot) => boolean) => this.#sessions.stayed(isMoving),
      present: (document: DocumentId, shown: Presented, from: string) => this.#presence.show(document, shown, from),
      publishPresence: (document: DocumentId) => this.#presence.publish(document),
      atHome: (documents: readonly DocumentId[]) => this.#sessions.atHome(documents),
    };
  }

  #load(): NodeLoad {
    const { sessions, documents, pendingPushes } = this.stats();
    return { sessions, documents, pendingPushes };
  }

  /** Rises over all nodes, as far as their wall clocks agree: a session that comes from another one is the younger. */
  #nextChannel(): number {
    this.#lastChannel = Math.max(this.#lastChannel + 1, this.#clock.wallMs());
    return this.#lastChannel;
  }

  #end(state: 'lost' | 'left', why: string): void {
    this.#state = state;
    for (const cancel of this.#ticks) cancel();
    this.#sessions.end(why);
  }
}
