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

/** The lease of a node, and then some. */
const LEASE_MS = 1_000;

/** Faults, one after another or several at once, drawn from the seed of the run. */
export class Storm {
  readonly #run: Simulation;
  #left: number;
  #busy = 0;
  #state: 'blowing' | 'healed' = 'blowing';

  constructor(run: Simulation) {
    this.#run = run;
    this.#left = 3 + run.random.int(4);
    this.#next();
  }

  get isOver(): boolean {
    return this.#left === 0 && this.#busy === 0;
  }

  /** Nothing fails any more; what hangs goes on. */
  heal(): void {
    this.#state = 'healed';
    this.#run.tell('all is healed');
    this.#calm();
    this.#run.database.start();
    for (const { process } of this.#run.nodes) {
      process.killAfter(Infinity);
      process.resume();
    }
  }

  #next(): void {
    const { world, random } = this.#run;
    world.after(random.between(100, 700), () => {
      if (this.#left === 0) return;
      this.#left--;
      this.#blow(random.pick(FAULTS));
      this.#next();
    });
  }

  #blow(fault: Fault): void {
    const { random, database, living } = this.#run;
    const node = living.at(-1);
    if (node === undefined) return;
    const spanMs = random.chance(0.5) ? random.between(50, LEASE_MS) : random.between(LEASE_MS, 3 * LEASE_MS);
    switch (fault) {
      case 'crash':
        return node.process.killAfter(random.int(60));
      case 'stop':
        database.stop();
        return this.#until(fault, spanMs, () => database.start());
      case 'freeze':
        database.freeze();
        return this.#until(fault, spanMs, () => database.start());
      case 'lostAnswers':
        for (const { faults } of living) faults.rates = { error: 0.1, requestLost: 0.1, answerLost: 0.15 };
        return this.#until(fault, spanMs, () => this.#calm());
      case 'stuck':
        for (const { log } of living) log.lateness = 0.3;
        return this.#until(fault, spanMs, () => this.#calm());
      case 'slow':
        for (const { log } of living) log.checkpointSlowMs = 600;
        return this.#until(fault, spanMs, () => this.#calm());
      case 'loss':
        for (const { rooms } of living) rooms.loss = 0.3;
        return this.#until(fault, spanMs, () => this.#calm());
      case 'drops':
        node.breakSome(0.5);
        for (const client of this.#run.clients) if (random.chance(0.3)) client.drop();
        return;
      case 'coup':
        this.#run.boot(rivalOf(node), 'forced');
        return;
      case 'pause':
        node.process.pause();
        return this.#until(fault, spanMs, () => node.process.resume());
      case 'zombie':
        if (node.process.state !== 'running') return;
        node.process.pause();
        this.#run.boot(rivalOf(node), random.chance(0.5) ? 'forced' : 'careful');
        return this.#until(fault, spanMs * 2, () => node.process.resume());
    }
  }

  #until(fault: Fault, spanMs: number, end: () => void): void {
    this.#busy++;
    this.#run.tell(`${fault} for ${spanMs.toFixed(0)} ms`);
    this.#run.world.after(spanMs, () => {
      this.#busy--;
      if (this.#state === 'blowing') end();
    });
  }

  #calm(): void {
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
