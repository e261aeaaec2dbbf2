/**
 * This node among the others: it looks after its slots (`Steward`), asks other nodes and answers them (`Relay`,
 * `Answerer`), and gossips. A heartbeat says how far the sender's map is and what it carries; who hears of a younger map
 * reads what is new. A notice of a change is sent at once. Without the bus all of this still happens, only later: by
 * renewals.
 */
import type { DocumentId, Epoch } from '@homeport/protocol';
import type { DocumentHost } from '../document/document-host.js';
import type { Presented } from '../document/document-ref.js';
import type { FanOut } from '../document/fan-out.js';
import type { LocalDocument } from '../document/local-document.js';
import { slotOf } from '../document/slot.js';
import { repeat, type Cancel, type Clock } from '../runtime/clock.js';
import type { Probe } from '../runtime/probe.js';
import { Answerer } from './answerer.js';
import type { Bus, BusMessage } from './bus.js';
import type { ClusterEvent, ClusterView, NodeLoad } from './cluster-view.js';
import type { Parting } from './handoff.js';
import type { LeaseTable, NodeInfo } from './lease-table.js';
import type { Membership } from './membership.js';
import type { Peers } from './peers.js';
import type { GivenQuestion, HeadsQuestion, Notice, Question } from './question.js';
import { Relay } from './relay.js';
import { RelayedDocument } from './relayed-document.js';
import type { SlotKeeper } from './slot-keeper.js';
import type { SlotMap } from './slot-map.js';
import { Steward, type StewardSettings } from './steward.js';

const HEARTBEAT_MS = 500;
const RELAY_TICK_MS = 1_000;
/** A new owner that does not answer for so long finds out by itself. */
const GIVEN_MS = 250;
/** A load that was not heard of for so long says nothing any more. */
const LOAD_KEPT_MS = 3_000;
const TIMELINE_MAX = 200;

/** What the others, by way of this class, want of this node. */
export interface Household extends Parting {
  load(): NodeLoad;
  /** A session that is relayed by `from` shows itself. */
  present(document: DocumentId, shown: Presented, from: string): void;
  publishPresence(document: DocumentId): void;
  /** Documents that are relayed here live here. */
  atHome(documents: readonly DocumentId[]): void;
  /** There is a younger revocation. */
  revoked(): void;
}

export class Cluster {
  readonly #me: NodeInfo;
  readonly #bus: Bus;
  readonly #keeper: SlotKeeper;
  readonly #membership: Membership;
  readonly #map: SlotMap;
  readonly #host: DocumentHost;
  readonly #clock: Clock;
  readonly #probe: Probe;
  readonly #household: Household;
  readonly #steward: Steward;
  readonly #relay: Relay;
  readonly #answerer: Answerer;
  readonly #loads = new Map<string, { readonly load: NodeLoad; readonly heardMs: number }>();
  readonly #timeline: (ClusterEvent & { readonly at: number })[] = [];
  #mapVersion = 0;
  readonly #ticks: Cancel[] = [];

  constructor(parts: {
    readonly me: NodeInfo;
    readonly bus: Bus;
    readonly peers: Peers;
    readonly leases: LeaseTable;
    readonly keeper: SlotKeeper;
    readonly membership: Membership;
    readonly map: SlotMap;
    readonly host: DocumentHost;
    readonly fanOut: FanOut;
    readonly clock: Clock;
    readonly probe: Probe;
    readonly settings: StewardSettings;
    readonly local: (document: DocumentId) => LocalDocument;
    readonly household: Household;
  }) {
    const { me, bus, keeper, membership, map, host, clock, household } = parts;
    this.#me = me;
    this.#bus = bus;
    this.#keeper = keeper;
    this.#membership = membership;
    this.#map = map;
    this.#host = host;
    this.#clock = clock;
    this.#probe = parts.probe;
    this.#household = household;
    this.#steward = new Steward({
      ...parts,
      announce: (event) => this.#announce(event),
      household: {
        // Without the bus nobody here would hear, or be heard by, the next owner.
        listenAhead: async (isMoving) => (bus.isUp ? household.listenAhead(isMoving) : undefined),
        stayed: (isMoving) => household.stayed(isMoving),
      },
      given: (node) => this.#given(node),
    });
    const refresh = () => this.#refresh();
    const atHome = (documents: readonly DocumentId[]) => household.atHome(documents);
    this.#relay = new Relay({ ...parts, me: me.id, refresh, atHome });
    this.#answerer = new Answerer(host, keeper, clock, parts.local);
  }

  /** Resolves when this node knows the map and has taken what it should have at once. */
  async start(): Promise<void> {
    await this.#bus.listen(this.#me.id, {
      answer: (question) => this.#answer(question as unknown as Question | HeadsQuestion | GivenQuestion),
      hear: (notice, from) => this.#hear(notice as unknown as Notice, from),
      back: () => this.#askHeads(),
    });
    await this.#steward.start();
    this.#announce({ kind: 'joined', node: this.#me.name });
    this.#ticks.push(
      repeat(this.#clock, HEARTBEAT_MS, () => this.#beat()),
      repeat(this.#clock, RELAY_TICK_MS, () => this.#askHeads()),
    );
  }

  /** Hands every slot over, while there is somebody to take them. Resolves when none is left, or after `limitMs`. */
  async drain(limitMs: number): Promise<void> {
    await this.#steward.drain(limitMs);
  }

  /** Looks after nothing any more. */
  stop(): void {
    for (const cancel of this.#ticks) cancel();
    this.#steward.stop();
  }

  /** The lease table says that this node has left: the others may look at once. */
  farewell(): void {
    this.#announce({ kind: 'left', node: this.#me.name });
  }

  relayed(id: DocumentId, pin: 'redirect' | 'relay', local: LocalDocument): RelayedDocument {
    const find = (node: string) => this.#membership.find(node);
    const [relay, host, map, clock] = [this.#relay, this.#host, this.#map, this.#clock];
    return new RelayedDocument({ id, pin, local, relay, host, map, clock, find });
  }

  present(document: DocumentId, shown: Presented): void {
    this.#relay.tell(document, { is: 'presence', document, shown } satisfies Notice as unknown as BusMessage);
  }

  askPresence(document: DocumentId): void {
    this.#relay.tell(document, { is: 'presence?', document } satisfies Notice as unknown as BusMessage);
  }

  revoked(): void {
    this.#bus.tell({ is: 'revoked' } satisfies Notice);
  }

  async catchUp(document: DocumentId, epoch: Epoch): Promise<void> {
    if (epoch > this.#map.epochOf(slotOf(document))) await this.#refresh();
  }

  /** The youngest last. */
  get timeline(): ClusterView['timeline'] {
    return this.#timeline;
  }

  /** Documents that are relayed here. */
  get relayedCount(): number {
    return this.#relay.documentCount;
  }

  get isBusUp(): boolean {
    return this.#bus.isUp;
  }

  /** Of its last heartbeat; undefined: none was heard for a while. */
  loadOf(node: string): NodeLoad | undefined {
    const heard = this.#loads.get(node);
    const isFresh = heard !== undefined && this.#clock.monotonicMs() - heard.heardMs < LOAD_KEPT_MS;
    return isFresh ? heard.load : undefined;
  }

  /** Who is there and who owns what, as it is now; as before, where that can not be found out. */
  async #refresh(): Promise<void> {
    await Promise.allSettled([this.#keeper.renewNow(), this.#steward.readMap()]);
  }

  async #answer(question: Question | HeadsQuestion | GivenQuestion): Promise<BusMessage> {
    switch (question.is) {
      case 'heads':
        return (await this.#answerer.heads(question)) as unknown as BusMessage;
      case 'given':
        await this.#steward.readMap();
        return {};
      default:
        return (await this.#answerer.answer(question)) as unknown as BusMessage;
    }
  }

  async #given(node: string): Promise<void> {
    const question: GivenQuestion = { is: 'given' };
    await this.#bus.ask(node, question as unknown as BusMessage, GIVEN_MS).catch(() => {});
  }

  #hear(notice: Notice, from: string): void {
    switch (notice.is) {
      case 'heartbeat':
        this.#loads.set(from, { load: notice.load, heardMs: this.#clock.monotonicMs() });
        return this.#steward.heardOf(notice.version);
      case 'changed':
        this.#remember(notice.event, notice.at);
        this.#steward.heardOf(notice.version);
        if (isOfMembers(notice.event)) void this.#keeper.renewNow().then(() => this.#steward.look());
        return;
      case 'presence':
        return this.#household.present(notice.document, notice.shown, from);
      case 'presence?':
        return this.#household.publishPresence(notice.document);
      case 'revoked':
        return this.#household.revoked();
    }
  }

  #announce(event: ClusterEvent): void {
    const at = this.#clock.wallMs();
    this.#remember(event, at);
    if ('slots' in event) this.#probe.slotsMoved(event);
    const notice: Notice = { is: 'changed', version: this.#map.version, at, event };
    this.#bus.tell(notice as unknown as BusMessage);
  }

  #remember(event: ClusterEvent, at: number): void {
    this.#timeline.push({ ...event, at });
    if (this.#timeline.length > TIMELINE_MAX) this.#timeline.shift();
  }

  #beat(): void {
    const notice: Notice = { is: 'heartbeat', version: this.#map.version, load: this.#household.load() };
    this.#bus.tell(notice as unknown as BusMessage);
    for (const node of this.#loads.keys()) if (this.#membership.find(node) === undefined) this.#loads.delete(node);
    if (this.#map.version === this.#mapVersion) return;
    this.#mapVersion = this.#map.version;
    this.#askHeads();
  }

  #askHeads(): void {
    const failed = (error: unknown): void =>
      this.#probe.tell('warn', 'the heads of relayed documents are not known', { reason: String(error) });
    this.#relay.tick().catch(failed);
  }
}

/** Somebody came or went. What became of slots is in the map, which is read where it is behind. */
function isOfMembers({ kind }: ClusterEvent): boolean {
  return kind === 'joined' || kind === 'left' || kind === 'died';
}
