import { FaultSchedule, LEASE_MS } from './fault-schedule.js';
import type { SimNode } from './sim-node.js';
import type { ClusterSimulation } from './simulate-cluster.js';

export const CLUSTER_FAULTS = [
  'crash',
  'hang',
  'pause',
  'drain',
  'leave',
  'lostHandoff',
  'join',
  'stop',
  'freeze',
  'lostAnswers',
  'stuck',
  'slow',
  'drops',
  'noBus',
  'badBus',
  'parted',
  'fussyBus',
  'refuses',
  'blip',
] as const;
export type ClusterFault = (typeof CLUSTER_FAULTS)[number];

/** What befalls a cluster, one after another or several at once, drawn from the seed of the run. */
export class ClusterStorm extends FaultSchedule<ClusterFault> {
  readonly #run: ClusterSimulation;
  readonly #unwanted = new Set<string>();
  /** What came, in order. */
  readonly blown: ClusterFault[] = [];
  #joined = 0;

  constructor(run: ClusterSimulation) {
    super(run, CLUSTER_FAULTS, 7, 900);
    this.#run = run;
  }

  /** A node that was told to leave for good does not come back. */
  isWanted(name: string): boolean {
    return !this.#unwanted.has(name);
  }

  protected override blow(fault: ClusterFault): void {
    const { random, database, exchange, living } = this.#run;
    const node = living.length === 0 ? undefined : random.pick(living);
    if (node === undefined) return;
    this.blown.push(fault);
    const name = node.node.me.id;
    const spanMs = random.chance(0.5) ? random.between(50, LEASE_MS) : random.between(LEASE_MS, 3 * LEASE_MS);
    switch (fault) {
      case 'crash':
        this.#run.tell(`${name} will crash`);
        return node.process.killAfter(random.int(60));
      case 'hang':
      case 'pause':
        this.#run.tell(`${name} hangs`);
        node.process.pause();
        node.isExcused = true;
        return this.until(fault, fault === 'hang' ? spanMs + 2 * LEASE_MS : spanMs / 3, () => node.process.resume());
      case 'drain':
        return this.#drain(node);
      case 'lostHandoff':
        node.faults.failNext('handOff', random.chance(0.7) ? 'answerLost' : 'requestLost');
        return this.#drain(node);
      case 'leave':
        if (living.length < 3) return;
        this.#unwanted.add(node.node.me.name);
        return this.#drain(node);
      case 'join':
        if (living.length < 5) this.#run.boot(`late-${++this.#joined}`);
        return;
      case 'stop':
        database.stop();
        return this.until(fault, spanMs, () => database.start());
      case 'freeze':
        database.freeze();
        return this.until(fault, spanMs, () => database.start());
      case 'lostAnswers':
        node.isExcused = true;
        node.faults.rates = { error: 0.1, requestLost: 0.1, answerLost: 0.15 };
        return this.until(fault, spanMs, () => this.calm());
      case 'stuck':
        node.log.lateness = 0.3;
        return this.until(fault, spanMs, () => this.calm());
      case 'slow':
        node.log.checkpointSlowMs = 600;
        return this.until(fault, spanMs, () => this.calm());
      case 'drops':
        node.breakSome(0.5);
        for (const client of this.#run.clients) if (random.chance(0.3)) client.drop();
        return;
      case 'noBus':
        exchange.stop();
        return this.until(fault, spanMs, () => exchange.start());
      case 'badBus':
        exchange.weather = { loss: 0.3, doubling: 0.3, latencyLowMs: 0.1, latencyHighMs: 60 };
        return this.until(fault, spanMs, () => this.calm());
      case 'fussyBus':
        exchange.weather = { ...exchange.weather, refusal: 0.6 };
        return this.until(fault, spanMs, () => this.calm());
      case 'parted': {
        for (const other of living) if (other !== node) exchange.part(name, other.node.me.id);
        return this.until(fault, spanMs, () => exchange.joinAll());
      }
      // Either of the two proves nothing; both together would, and a node that lives gives cause for that only here.
      case 'refuses':
        if (!database.advisoryLocks.has(name)) return;
        node.isRefusing = true;
        return this.until(fault, spanMs, () => (node.isRefusing = false));
      case 'blip':
        if (!node.isRefusing) node.blip();
        return;
    }
  }

  /** As a supervisor stops it: by asking, and then, if need be, by force. */
  #drain(node: SimNode): void {
    if (!node.isServing) return;
    this.#run.tell(`${node.node.me.id} is drained`);
    void node.node.drain().then(() => node.process.kill());
    this.#run.world.after(6_000, () => node.process.kill());
  }

  protected override calm(): void {
    const { exchange, nodes } = this.#run;
    exchange.weather = { loss: 0, doubling: 0, latencyLowMs: 0.1, latencyHighMs: 1 };
    exchange.start();
    exchange.joinAll();
    for (const node of nodes) {
      node.faults.rates = {};
      node.log.lateness = 0;
      node.log.checkpointSlowMs = 0;
      node.rooms.loss = 0;
      node.isRefusing = false;
    }
  }
}
