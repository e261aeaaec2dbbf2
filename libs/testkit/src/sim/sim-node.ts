/** A node in its process, with what it was built of, and the lines of clients to it. */
import {
  HomeNode,
  Identity,
  type Claim,
  type DocumentLog,
  type LeaseTable,
  type LoadedDocument,
  type NodeSettings,
  type Peers,
} from '@homeport/core';
import { isObject, type DocumentId, type PushReply, type PushRequest } from '@homeport/protocol';
import type { FakeClock } from '../fake-clock.js';
import type { MemoryBus, MemoryExchange } from '../memory-bus.js';
import type { MemoryDatabase } from '../memory-database.js';
import type { Poison } from '../memory-document-log.js';
import { MemoryLeaseTable } from '../memory-lease-table.js';
import { MemoryRevocationTable } from '../memory-revocation-table.js';
import { FaultPlan, MemoryLink } from '../memory-link.js';
import { RecordingProbe } from '../recording-probe.js';
import { nodeNamed } from '../samples.js';
import type { SeededRandom } from '../seeded-random.js';
import { LateLog } from './late-log.js';
import { SimProcess } from './sim-process.js';
import { SimChannel, SimRooms, type Peer } from './sim-wire.js';
import { POISON } from './sim-writer.js';
import type { Witness } from './witness.js';

/** A client's end of its present channel. */
export interface Line {
  readonly unanswered: number;
  ask<Reply>(event: string, payload: object, answered: (reply: Reply) => void): void;
  hangUp(): void;
}

/** Variants of the ports, for runs that must fail. */
export interface Planted {
  readonly memoryLog?: (link: MemoryLink, poison: Poison) => LateLog;
  readonly log?: (log: DocumentLog, database: MemoryDatabase) => DocumentLog;
  readonly leases?: (leases: LeaseTable, database: MemoryDatabase) => LeaseTable;
}

/** What a node that is one of several has beside. */
export interface Others {
  readonly exchange: MemoryExchange;
  readonly peers: Peers;
}

/** Everything is shorter than in earnest, so that much happens in a run. */
export const SIM_SETTINGS: Partial<NodeSettings> = {
  lanes: 2,
  ttlMs: 1_000,
  renewalMs: 250,
  marginMs: 50,
  pushWaitMs: 1_500,
  checkpointEntries: 4,
  checkpointAfterMs: 300,
  idleMs: 300,
  lookMs: 60,
  settleMs: 300,
  freeGraceMs: 500,
  rebalanceAfterMs: 1_000,
  handoffSlots: 400,
};
const DEADLINE_MS = 1_500;
const LATENCY_MS = 4;

export class SimNode {
  readonly process: SimProcess;
  readonly faults = new FaultPlan();
  readonly probe = new RecordingProbe();
  readonly rooms: SimRooms;
  readonly log: LateLog;
  /** How often all its connections broke. */
  blips = 0;
  /** Its address refuses connections, though it lives. */
  isRefusing = false;
  /** Something was done to it for which others may rightly take it to be dead. */
  isExcused = false;
  readonly node: HomeNode;
  /** Why it ended; undefined while it has not. */
  ended: string | undefined;
  readonly #world: FakeClock;
  readonly #random: SeededRandom;
  readonly #witness: Witness;
  readonly #channels = new Set<SimChannel>();
  readonly #link: MemoryLink;
  #cutBus: () => void = () => {};

  constructor(
    world: FakeClock,
    database: MemoryDatabase,
    random: SeededRandom,
    witness: Witness,
    name: string,
    incarnation: number,
    planted: Planted,
    others?: Others,
  ) {
    this.#world = world;
    this.#random = random;
    this.#witness = witness;
    this.process = new SimProcess(world, random, random.between(0.995, 1.005));
    this.rooms = new SimRooms(world, random);
    const link = new MemoryLink(database, this.faults, { deadlineMs: DEADLINE_MS }, (event) =>
      this.process.receive(event),
    );
    this.#link = link;
    const poison: Poison = ({ ops }) => ops.some((op) => op.op === 'put' && isObject(op.value) && POISON in op.value);
    this.log = planted.memoryLog?.(link, poison) ?? new LateLog(link, poison);
    const leases = new MemoryLeaseTable(link);
    this.node = new HomeNode({
      node: nodeNamed(name, incarnation),
      log: this.process.around(this.#watched(planted.log?.(this.log, database) ?? this.log)),
      leases: this.process.around(planted.leases?.(leases, database) ?? leases),
      revocations: this.process.around(new MemoryRevocationTable(link)),
      fanOut: this.rooms,
      clock: this.process,
      random,
      probe: this.probe,
      settings: SIM_SETTINGS,
      ...(others && { others: { bus: this.#bus(others.exchange), peers: others.peers } }),
    });
    this.process.onDeath(() => {
      this.ended ??= 'it died';
      link.cut();
      this.#cutBus();
      for (const channel of this.#channels) channel.break();
    });
    this.rooms.onDeliver = () => {
      if (this.node.state === 'lost') witness.violated('O4', `${this.node.me.id} sends frames, though it is lost`);
    };
  }

  /** It ends by itself where it is refused, or loses its place. */
  start(claim: Claim): void {
    const end = (reason: string): void => {
      this.ended ??= reason;
      this.process.kill();
    };
    void this.node.lost.then((reason) => this.process.after(this.#random.between(0, 500), () => end(reason)));
    this.node.start(claim).catch((error: unknown) => end(String(error)));
  }

  #bus(exchange: MemoryExchange): MemoryBus {
    const bus = exchange.connect(this.process, (event) => this.process.receive(event));
    this.#cutBus = () => bus.cut();
    return bus;
  }

  get isServing(): boolean {
    return this.process.state !== 'dead' && this.node.state === 'serving';
  }

  connect(peer: Peer, session: string): Line {
    const arrive = (event: () => void): void => this.process.receive(event);
    const channel = new SimChannel(this.#world, this.#random, this.rooms, peer, arrive);
    this.#channels.add(channel);
    const identity = new Identity(session, { '*': 'write' }, null);
    let there: ReturnType<HomeNode['connect']> | undefined;
    let unanswered = 0;
    let arrivesMs = 0;
    const toNode = (arrive: () => void): void => {
      const nowMs = this.#world.monotonicMs();
      arrivesMs = Math.max(arrivesMs, nowMs + this.#random.between(0, LATENCY_MS));
      this.#world.after(arrivesMs - nowMs, () => this.process.receive(arrive));
    };
    toNode(() => {
      if (channel.isOpen) there = this.node.connect(channel, identity, session);
    });
    return {
      get unanswered() {
        return unanswered;
      },
      ask: (event, payload, answered) => {
        unanswered++;
        const text = JSON.stringify(payload);
        toNode(() => {
          if (there === undefined || !channel.isOpen) return;
          const asked: unknown = JSON.parse(text);
          void there.receive(event, asked)?.then((reply) => {
            this.#answers(channel, session, event, asked, reply as { readonly ok: boolean });
            const sent = JSON.stringify(reply);
            channel.deliver(() => {
              unanswered--;
              peer.heardAnswer();
              answered(JSON.parse(sent) as never);
            });
          });
        });
      },
      hangUp: () => {
        channel.hangUp();
        toNode(() => there && this.node.disconnect(there));
      },
    };
  }

  /**
   * Every connection of it breaks, and the next ones are accepted. The renewal on its lease connection fails, and until
   * the next one anybody finds its lock free.
   */
  blip(): void {
    this.blips++;
    this.faults.failNext('renew', 'error');
    this.#link.breakLease();
  }

  /** Breaks some connections. */
  breakSome(probability: number): void {
    for (const channel of this.#channels) if (this.#random.chance(probability)) channel.break();
  }

  /** The moment at which a node commits itself to something. */
  #answers(channel: SimChannel, session: string, event: string, asked: unknown, reply: { readonly ok: boolean }): void {
    if (!reply.ok) return;
    if (this.node.state === 'lost' && event !== 'close' && channel.isOpen)
      this.#witness.violated('O4', `${this.node.me.id} answers ${event}, though it is lost`);
    if (event !== 'push') return;
    const { document, opNo } = asked as PushRequest;
    const { position } = reply as Extract<PushReply, { ok: true }>;
    this.#witness.acked(document, session, opNo, position.seq);
  }

  #watched(log: DocumentLog): DocumentLog {
    const witness = this.#witness;
    return new Proxy(log, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (name === 'load')
          return async (document: DocumentId): Promise<LoadedDocument> => {
            const floor = witness.ackedTo(document);
            const loaded = await target.load(document);
            if (loaded.head < floor)
              witness.violated('W7', `a load of ${document} ends at ${loaded.head}, ${floor} was acknowledged`);
            return loaded;
          };
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  }
}
