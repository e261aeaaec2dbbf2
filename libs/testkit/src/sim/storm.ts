import { FaultSchedule, LEASE_MS } from './fault-schedule.js';
import type { SimNode } from './sim-node.js';
import type { Simulation } from './simulate.js';

const FAULTS = [
  'crash',
  'stop',
  'freeze',
  'lostAnswers',
  'stuck',
  'drops',
  'loss',
  'pause',
  'zombie',
  'coup',
  'slow',
] as const;
type Fault = (typeof FAULTS)[number];

/** Faults, one after another or several at once, drawn from the seed of the run. */
export class Storm extends FaultSchedule<Fault> {
  readonly #run: Simulation;

  constructor(run: Simulation) {
    super(run, FAULTS, 6, 700);
    this.#run = run;
  }

  protected override blow(fault: Fault): void {
    const { random, database, living } = this.#run;
    const node = living.at(-1);
    if (node === undefined) return;
    const spanMs = random.chance(0.5) ? random.between(50, LEASE_MS) : random.between(LEASE_MS, 3 * LEASE_MS);
    switch (fault) {
      case 'crash':
        return node.process.killAfter(random.int(60));
      case 'stop':
        database.stop();
        return this.until(fault, spanMs, () => database.start());
      case 'freeze':
        database.freeze();
        return this.until(fault, spanMs, () => database.start());
      case 'lostAnswers':
        for (const { faults } of living) faults.rates = { error: 0.1, requestLost: 0.1, answerLost: 0.15 };
        return this.until(fault, spanMs, () => this.calm());
      case 'stuck':
        for (const { log } of living) log.lateness = 0.3;
        return this.until(fault, spanMs, () => this.calm());
      case 'slow':
        for (const { log } of living) log.checkpointSlowMs = 600;
        return this.until(fault, spanMs, () => this.calm());
      case 'loss':
        for (const { rooms } of living) rooms.loss = 0.3;
        return this.until(fault, spanMs, () => this.calm());
      case 'drops':
        node.breakSome(0.5);
        for (const client of this.#run.clients) if (random.chance(0.3)) client.drop();
        return;
      case 'coup':
        this.#run.boot(rivalOf(node), 'forced');
        return;
      case 'pause':
        node.process.pause();
        return this.until(fault, spanMs, () => node.process.resume());
      case 'zombie':
        if (node.process.state !== 'running') return;
        node.process.pause();
        this.#run.boot(rivalOf(node), random.chance(0.5) ? 'forced' : 'careful');
        return this.until(fault, spanMs * 2, () => node.process.resume());
    }
  }

  protected override calm(): void {
    for (const { faults, log, rooms } of this.#run.nodes) {
      faults.rates = {};
      log.lateness = 0;
      log.checkpointSlowMs = 0;
      rooms.loss = 0;
    }
  }
}

function rivalOf({ node }: SimNode): string {
  return node.me.name === 'a' ? 'b' : 'a';
}
