/**
 * One run of a cluster from one seed: several nodes on one database and one bus, clients that go to the owner and clients
 * that are relayed, nodes that come, go, crash and hang. What must hold of one node must hold here, and at every instant
 * at most one node may answer for a slot. Then all is healed: every slot has an owner that lives, and all copies agree.
 */
import { slotOf } from '@homeport/core';
import type { DocumentId, ReadReply } from '@homeport/protocol';
import { FakeClock } from '../fake-clock.js';
import { MemoryExchange } from '../memory-bus.js';
import { MemoryDatabase } from '../memory-database.js';
import { SeededRandom } from '../seeded-random.js';
import { ClusterStorm, type ClusterFault } from './cluster-storm.js';
import { KeylessWriter } from './keyless-writer.js';
import { SimClient } from './sim-client.js';
import { SimNode, type Planted } from './sim-node.js';
import { SimPeers } from './sim-peers.js';
import { SimFailure } from './simulate.js';
import { Witness } from './witness.js';

export interface ClusterSummary {
  acks: number;
  crashes: number;
  lostNodes: number;
  takeovers: number;
  handoffs: number;
  relayed: number;
  holes: number;
  /** Pushes without a number that were stored. */
  keyless: number;
  /** Of the largest document at the end. */
  bytesMax: number;
  faults: readonly ClusterFault[];
}

const DOCUMENTS: readonly DocumentId[] = ['board-1', 'board-2', 'board-3'];
const NAMES = ['a', 'b', 'c'] as const;
const STEP_MS = 20;
const CALM_MS = 5_000;
/** How many of the runs are heavy. */
const HEAVY = 1 / 25;

/** `calm`: nothing ever fails, and nobody comes or goes. */
export async function simulateCluster(
  seed: number,
  planted: Planted = {},
  weather: 'storm' | 'calm' = 'storm',
): Promise<ClusterSummary> {
  const run = new ClusterSimulation(seed, planted);
  try {
    return await run.play(weather);
  } catch (error) {
    if (!(error instanceof SimFailure)) run.fail(String(error));
    throw error;
  }
}

export class ClusterSimulation {
  readonly world = new FakeClock();
  readonly random: SeededRandom;
  readonly database: MemoryDatabase;
  readonly exchange: MemoryExchange;
  readonly witness: Witness;
  readonly nodes: SimNode[] = [];
  readonly clients: SimClient[] = [];
  /** In some runs a document is larger than any message. */
  readonly isHeavy: boolean;
  readonly #seed: number;
  readonly #planted: Planted;
  readonly #script: string[] = [];
  readonly #passersBy: KeylessWriter;
  #storm: ClusterStorm | undefined;

  constructor(seed: number, planted: Planted) {
    this.#seed = seed;
    this.#planted = planted;
    this.random = new SeededRandom(seed);
    this.database = new MemoryDatabase(this.world, this.random);
    this.exchange = new MemoryExchange(this.world, this.random);
    this.witness = new Witness(this.database);
    this.isHeavy = this.random.chance(HEAVY);
    this.#passersBy = new KeylessWriter(this);
  }

  async play(weather: 'storm' | 'calm'): Promise<ClusterSummary> {
    for (const name of NAMES) this.boot(name);
    await this.#goOn('the first owners', () => this.isOwned, 10_000);
    this.#addClients();
    this.#passersBy.start(DOCUMENTS);
    if (weather === 'storm') await this.#rage();
    else await this.#pass(CALM_MS);
    for (const client of this.clients) client.isWriting = false;
    this.#passersBy.stop();
    await this.#goOn('O6: an owner that lives for every slot', () => this.isOwned, 20_000);
    const isSettled = (): boolean => [...this.clients, this.#passersBy].every((writer) => writer.isSettled);
    await this.#goOn('the end of every push', isSettled, 20_000);
    await this.#goOn('D2: everyone at the head', () => this.clients.every(({ isAtHead }) => isAtHead), 6_000);
    await this.#readEverywhere();
    this.witness.concluded();
    this.#check();
    return this.#summary();
  }

  get living(): readonly SimNode[] {
    return this.nodes.filter(({ ended }) => ended === undefined);
  }

  get isOwned(): boolean {
    const serving = new Set(this.living.filter(({ isServing }) => isServing).map(({ node }) => node.me.id));
    return this.database.slots.every(({ owner }) => owner !== undefined && serving.has(owner));
  }

  /** A process of that name; whenever it ends, another one comes, while the name is wanted. */
  boot(name: string): SimNode {
    const { world, database, random, witness, exchange } = this;
    const others = { exchange, peers: new SimPeers(this) };
    const node = new SimNode(world, database, random, witness, name, this.nodes.length + 1, this.#planted, others);
    this.nodes.push(node);
    node.rooms.onPublish = (document, event, text) => {
      const { loss } = exchange.weather;
      for (const other of this.living)
        if (other !== node && !random.chance(loss))
          other.rooms.hear(loss === 0, document, () => {
            if (exchange.isReachable) other.process.receive(() => other.rooms.deliverRelayed(document, event, text));
          });
    };
    this.tell(`${node.node.me.id} starts`);
    node.start('careful');
    const supervise = (): void => {
      if (node.ended === undefined) return void world.after(50, supervise);
      this.tell(`${node.node.me.id} has ended: ${node.ended}`);
      if (this.#storm?.isWanted(name) ?? true) world.after(random.between(20, 400), () => this.boot(name));
    };
    world.after(50, supervise);
    return node;
  }

  tell(what: string): void {
    this.#script.push(`${this.world.monotonicMs().toFixed(1)} ms: ${what}`);
  }

  fail(why: string): never {
    throw new SimFailure(
      `seed ${this.#seed} (SEED=${this.#seed} plays it again): ${why}\n  ${this.#script.join('\n  ')}`,
    );
  }

  #addClients(): void {
    const dial = (peer: Parameters<SimNode['connect']>[0], session: string, towards: string | undefined) => {
      const serving = this.living.filter(({ isServing }) => isServing);
      const node = serving.find(({ node: { me } }) => me.id === towards);
      if (node !== undefined) return node.connect(peer, session);
      return serving.length === 0 ? undefined : this.random.pick(serving).connect(peer, session);
    };
    const add = (session: string, documents: readonly DocumentId[], pin: 'redirect' | 'relay') =>
      this.clients.push(
        new SimClient(session, documents, this.world, this.random, this.witness, dial, pin, this.isHeavy),
      );
    for (const [n, document] of DOCUMENTS.entries()) add(`p${n}`, [document], 'redirect');
    add('r1', DOCUMENTS, 'relay');
    add('r2', DOCUMENTS.slice(1), 'relay');
  }

  async #rage(): Promise<void> {
    const storm = new ClusterStorm(this);
    this.#storm = storm;
    await this.#goOn('the end of the storm', () => storm.isOver, 60_000);
    storm.heal();
  }

  async #pass(ms: number): Promise<void> {
    const endMs = this.world.monotonicMs() + ms;
    await this.#goOn('the end of the calm', () => this.world.monotonicMs() >= endMs, 2 * ms);
  }

  /** R3: whichever node is asked, the answer holds everything. */
  async #readEverywhere(): Promise<void> {
    for (const { node } of this.living.filter(({ isServing }) => isServing))
      for (const document of DOCUMENTS) {
        let read: ReadReply | undefined;
        const ask = (): void =>
          void node.directory
            .open(document, 'relay')
            .read({ document })
            .then((reply) => (reply.ok ? (read = reply) : this.world.after(100, ask)));
        ask();
        const isOver = (): boolean => read !== undefined || node.state !== 'serving';
        await this.#goOn(`a read of ${document} at ${node.me.name}`, isOver, 12_000);
        if (!read?.ok) continue;
        this.witness.showed(document, read.position.seq, this.witness.headOf(document), Object.entries(read.records));
      }
  }

  async #goOn(what: string, holds: () => boolean, limitMs: number): Promise<void> {
    const endMs = this.world.monotonicMs() + limitMs;
    while (!holds()) {
      this.#check();
      if (this.world.monotonicMs() >= endMs)
        this.fail(`did not come within ${limitMs} ms: ${what}\n  ${this.#conditions().join('\n  ')}`);
      await this.world.advance(STEP_MS);
    }
    this.#check();
  }

  #conditions(): string[] {
    const owners = new Map<string, number>();
    for (const { owner } of this.database.slots)
      owners.set(owner ?? 'nobody', (owners.get(owner ?? 'nobody') ?? 0) + 1);
    return [
      ...this.clients.map(({ condition }) => condition),
      ...this.living.map(({ node, process }) => `${node.me.id}: ${node.state}, ${process.state}`),
      ...[...owners].map(([owner, slots]) => `${owner} has ${slots}`),
      ...DOCUMENTS.map((document) => `${document} is ${this.database.slots[slotOf(document)]?.owner}'s`),
    ];
  }

  #check(): void {
    for (const document of DOCUMENTS) {
      const slot = slotOf(document);
      const serving = this.living.filter(({ process, node }) => process.state !== 'dead' && node.mayServe(slot));
      if (serving.length > 1)
        this.fail(`O1: ${serving.map(({ node }) => node.me.id).join(' and ')} may both serve ${document}`);
    }
    for (const { node, isExcused } of this.nodes)
      if (node.state === 'lost' && !isExcused)
        this.fail(`E6: ${node.me.id} was declared dead, and nothing but the database and the bus ever failed it`);
    for (const { probe } of this.nodes)
      if (probe.alarms.includes('a head in the log is not the one expected'))
        this.fail('W6 W10: somebody else wrote while the fence held');
    if (this.exchange.tooLarge > 0) this.fail('B1: a node made a message that is too large for the bus');
    if (this.witness.violation !== undefined) this.fail(this.witness.violation);
  }

  #summary(): ClusterSummary {
    const events = this.nodes.flatMap(({ node }) => {
      return node.view().timeline.filter((event) => 'slots' in event && by(event) === node.me.name);
    });
    return {
      acks: this.witness.acks,
      crashes: this.nodes.filter(({ ended }) => ended === 'it died').length,
      lostNodes: this.nodes.filter(({ node }) => node.state === 'lost').length,
      takeovers: events.filter(({ kind }) => kind === 'taken_over').length,
      handoffs: events.filter(({ kind }) => kind === 'handed_off').length,
      relayed: this.clients.filter(({ wasRelayed }) => wasRelayed).length,
      holes: this.clients.reduce((total, { holes }) => total + holes, 0),
      keyless: this.#passersBy.stored,
      bytesMax: Math.max(...DOCUMENTS.map((document) => this.witness.bytesOf(document))),
      faults: this.#storm?.blown ?? [],
    };
  }
}

/** Whose doing it was. */
function by(event: { kind: string; node: string; from?: string }): string | undefined {
  return event.kind === 'handed_off' ? event.from : event.node;
}
