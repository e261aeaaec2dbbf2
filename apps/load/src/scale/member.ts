/** One node of a simulated cluster: the whole of core, in a process of its own, with everything it sends counted. */
import { HomeNode, type NodeInfo, type NodeState } from '@homeport/core';
import {
  MemoryDocumentLog,
  MemoryLeaseTable,
  MemoryRevocationTable,
  MemoryLink,
  RecordingFanOut,
  RecordingProbe,
  SimProcess,
  type FakeClock,
  type MemoryDatabase,
  type MemoryExchange,
  type SeededRandom,
} from '@homeport/testkit';
import { CountedBus } from './counted-bus.js';
import { countedLeases } from './counted-leases.js';
import { SimulatedPeers, type Connections } from './simulated-peers.js';
import type { Traffic } from './traffic.js';

/** What all nodes share. */
export interface World {
  readonly clock: FakeClock;
  readonly random: SeededRandom;
  readonly database: MemoryDatabase;
  readonly exchange: MemoryExchange;
  readonly connections: Connections;
  readonly redis: Traffic;
  readonly postgres: Traffic;
}

export class Member {
  readonly node: HomeNode;
  readonly id: string;
  readonly #process: SimProcess;
  readonly #end: () => void;
  #state: 'running' | 'hanging' | 'ended' = 'running';

  constructor(world: World, number: number) {
    const { clock, random, database, exchange, connections, redis, postgres } = world;
    this.#process = new SimProcess(clock, random, random.between(0.999, 1.001));
    const info = infoOf(number, random.id());
    this.id = info.id;
    const link = new MemoryLink(database);
    const receive = (event: () => void): void => this.#process.receive(event);
    const bus = exchange.connect(this.#process, receive);
    const leases = countedLeases(new MemoryLeaseTable(link), postgres);
    this.node = new HomeNode({
      node: info,
      log: this.#process.around(new MemoryDocumentLog(link)),
      leases: this.#process.around(leases),
      revocations: this.#process.around(new MemoryRevocationTable(link)),
      fanOut: new RecordingFanOut(),
      clock: this.#process,
      random,
      probe: new RecordingProbe(),
      others: {
        bus: new CountedBus(bus, redis, () => exchange.others('').length),
        peers: new SimulatedPeers(connections, receive),
      },
    });
    this.#end = () => {
      link.cut();
      bus.cut();
      connections.end(this.id);
    };
  }

  get state(): NodeState | 'hanging' | 'ended' {
    return this.#state === 'running' ? this.node.state : this.#state;
  }

  start(): Promise<void> {
    return this.node.start('careful');
  }

  /** Hands over what it has, and ends. */
  async leave(): Promise<void> {
    await this.node.drain();
    this.kill();
  }

  hang(): void {
    this.#state = 'hanging';
    this.#process.pause();
  }

  kill(): void {
    this.#state = 'ended';
    this.#process.kill();
    this.#end();
  }
}

/** As long as the names of real ones. */
function infoOf(number: number, incarnation: string): Omit<NodeInfo, 'leaseTtlMs'> {
  const name = `node-${String(number).padStart(4, '0')}`;
  const host = `10.0.${number >> 8}.${number & 255}`;
  const machineId = String(number).padStart(32, 'f');
  return { id: `${name}.${incarnation}`, name, url: `https://${name}.example.net`, host, port: 3_000, machineId };
}
