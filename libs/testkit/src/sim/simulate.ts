/**
 * One run of a whole system from one seed: clients that write, read, come and go; a node that is killed, stopped and
 * deposed; a database that fails in every way. Then all is healed, and everything that was written must come to rest.
 */
import type { DocumentId, ReadReply } from '@homeport/protocol';
import { FakeClock } from '../fake-clock.js';
import { MemoryDatabase } from '../memory-database.js';
import { SeededRandom } from '../seeded-random.js';
import { SimClient } from './sim-client.js';
import { SimNode, type Planted } from './sim-node.js';
import { Storm } from './storm.js';
import { Witness } from './witness.js';

/** What happened in a run: a fault that never came proves nothing. */
export interface SimSummary {
  acks: number;
  crashes: number;
  unknownFlushes: number;
  poisoned: number;
  checkpoints: number;
  failedCheckpoints: number;
  reloads: number;
  holes: number;
  takeovers: number;
  lostNodes: number;
}

export class SimFailure extends Error {}

const DOCUMENTS: readonly DocumentId[] = ['board-1', 'board-2'];
const CLIENTS = 3;

export async function simulate(seed: number, planted: Planted = {}): Promise<SimSummary> {
  const run = new Simulation(seed, planted);
  try {
    return await run.play();
  } catch (error) {
    if (!(error instanceof SimFailure)) run.fail(String(error));
    throw error;
  }
}

export class Simulation {
  readonly world = new FakeClock();
  readonly random: SeededRandom;
  readonly database: MemoryDatabase;
  readonly witness: Witness;
  readonly nodes: SimNode[] = [];
  readonly clients: SimClient[] = [];
  readonly #seed: number;
  readonly #planted: Planted;
  readonly #script: string[] = [];

  constructor(seed: number, planted: Planted) {
    this.#seed = seed;
    this.#planted = planted;
    this.random = new SeededRandom(seed);
    this.database = new MemoryDatabase(this.world, this.random);
    this.witness = new Witness(this.database);
  }

  async play(): Promise<SimSummary> {
    this.boot('a', 'careful');
    for (let n = 1; n <= CLIENTS; n++) {
      const client = new SimClient(`s${n}`, DOCUMENTS, this.world, this.random, this.witness, (peer, session) =>
        this.#reachable()?.connect(peer, session),
      );
      this.clients.push(client);
    }
    const storm = new Storm(this);
    await this.#goOn('the end of the storm', () => storm.isOver, 60_000);
    storm.heal();
    for (const client of this.clients) client.isWriting = false;
    const isCalm = (): boolean => this.living.length === 1 && this.living[0]!.isServing;
    await this.#goOn('one node that serves', isCalm, 20_000);
    await this.#goOn('the end of every push', () => this.clients.every(({ isSettled }) => isSettled), 20_000);
    await this.#goOn('D2: everyone at the head', () => this.clients.every(({ isAtHead }) => isAtHead), 5_000);
    await this.#restart();
    this.witness.concluded();
    this.#check();
    return this.#summary();
  }

  /** Once more through the tables: what was folded into them is what everyone saw. */
  async #restart(): Promise<void> {
    const last = this.nodes.findLast(({ isServing }) => isServing)!;
    this.tell(`${last.node.me.id} is drained`);
    let isDrained = false;
    void last.node.drain().then(() => (isDrained = true));
    await this.#goOn('the end of the drain', () => isDrained, 25_000);
    last.process.kill();
    const next = this.boot('c', 'careful');
    await this.#goOn('the last start', () => next.isServing, 5_000);
    for (const document of DOCUMENTS) {
      let read: ReadReply | undefined;
      void next.node.directory
        .open(document, 'redirect')
        .read({ document })
        .then((reply) => (read = reply));
      await this.#goOn('the last read', () => read !== undefined, 1_000);
      if (!read!.ok) this.fail(`the last read of ${document}: ${read!.message}`);
      this.witness.showed(document, read!.position.seq, this.witness.headOf(document), Object.entries(read!.records));
    }
  }

  /** Starts a process of that name; when it ends, another one comes, unless somebody else serves by then. */
  boot(name: string, claim: 'careful' | 'forced'): SimNode {
    const { world, database, random, witness } = this;
    const node = new SimNode(world, database, random, witness, name, this.nodes.length + 1, this.#planted);
    this.nodes.push(node);
    this.tell(`${node.node.me.id} starts, ${claim}`);
    node.start(claim);
    const supervise = (): void => {
      if (node.ended === undefined) return void world.after(50, supervise);
      this.tell(`${node.node.me.id} has ended: ${node.ended}`);
      if (this.nodes.every(({ ended }) => ended !== undefined)) this.boot(name, 'careful');
    };
    world.after(50, supervise);
    return node;
  }

  get living(): readonly SimNode[] {
    return this.nodes.filter(({ ended }) => ended === undefined);
  }

  tell(what: string): void {
    this.#script.push(`${this.world.monotonicMs().toFixed(1)} ms: ${what}`);
  }

  fail(why: string): never {
    throw new SimFailure(
      `seed ${this.#seed} (SEED=${this.#seed} plays it again): ${why}\n  ${this.#script.join('\n  ')}`,
    );
  }

  /** Whoever answers the dial: mostly the youngest that serves. */
  #reachable(): SimNode | undefined {
    const serving = this.living.filter(({ isServing }) => isServing);
    return this.random.chance(0.8) ? serving.at(-1) : serving[0];
  }

  async #goOn(what: string, holds: () => boolean, limitMs: number): Promise<void> {
    const endMs = this.world.monotonicMs() + limitMs;
    while (!holds()) {
      this.#check();
      if (this.world.monotonicMs() >= endMs)
        this.fail(
          `did not come within ${limitMs} ms: ${what}\n  ${this.clients.map(({ condition }) => condition).join('\n  ')}`,
        );
      await this.world.advance(20);
    }
    this.#check();
  }

  #check(): void {
    for (const { probe } of this.nodes)
      if (probe.alarms.includes('a head in the log is not the one expected'))
        this.fail('W6 W10: somebody else wrote while the fence held');
    if (this.witness.violation !== undefined) this.fail(this.witness.violation);
  }

  #summary(): SimSummary {
    const { nodes } = this;
    const sum = (count: (node: SimNode) => number): number => nodes.reduce((total, node) => total + count(node), 0);
    return {
      acks: this.witness.acks,
      crashes: sum(({ ended }) => Number(ended === 'it died')),
      unknownFlushes: sum(({ probe }) => probe.flushes.filter(({ outcome }) => outcome === 'unknown').length),
      poisoned: sum(({ probe }) => probe.outcomes.filter((outcome) => outcome === 'invalid').length),
      checkpoints: sum(({ probe }) => probe.checkpoints.filter(({ done }) => done).length),
      failedCheckpoints: sum(({ probe }) => probe.checkpoints.filter(({ done }) => !done).length),
      reloads: sum(({ probe }) => probe.loads.filter(({ records, entries }) => records + entries > 0).length),
      holes: this.clients.reduce((total, { holes }) => total + holes, 0),
      takeovers: nodes.length - 1,
      lostNodes: sum(({ node }) => Number(node.state === 'lost')),
    };
  }
}
