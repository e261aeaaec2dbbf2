/**
 * Some people at a model of the cluster, with all that can go wrong in between, and what must hold all the same: at every
 * moment, and when all is well again.
 */
import { stateHash, type Entry, type Json, type Seq } from '@homeport/protocol';
import { createClient, type Board } from '../src/index.js';
import { FakeClock } from './fake-clock.js';
import { DUMB_MS, FakeNetwork } from './fake-network.js';
import { FakeServer } from './fake-server.js';
import { Person, type Write } from './person.js';
import { SeededRandom } from './seeded-random.js';

type Climate = 'plain' | 'expiring' | 'losing history';

const DOCUMENTS = ['one', 'other'];
/** One client, whatever happens, neither opens nor dials more often than this in a second. */
const PER_SECOND_MAX = 30;
/** Nobody needs a socket for longer than this after all is well, except to the owners. */
const SETTLED_MS = 60_000;

/** A whole run. Rejects with what did not hold. */
export async function play(seed: number): Promise<World> {
  const world = new World(seed);
  await world.begin();
  await world.live(40);
  await world.heal();
  world.checkHealed();
  for (const { client } of world.people) client.close();
  return world;
}

export class World {
  readonly random: SeededRandom;
  readonly clock = new FakeClock();
  readonly server: FakeServer;
  readonly net: FakeNetwork;
  readonly people: Person[] = [];
  readonly climate: Climate;
  readonly told: string[] = [];
  /** States that were shown and should not have been. */
  readonly seen: string[] = [];
  #tokens: 'fine' | 'failing' | 'hanging' = 'fine';
  #timelines = 1;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.climate = seed % 5 === 3 ? 'expiring' : seed % 5 === 4 ? 'losing history' : 'plain';
    const nodes = seed % 4 === 0 ? ['a'] : ['a', 'b', 'c'];
    this.server = new FakeServer(this.clock, this.random, nodes);
    this.server.balanced = seed % 3 === 2;
    this.server.staleMaxMs = this.random.pick([0, 300, 5_000]);
    this.net = new FakeNetwork(this.clock, this.random, this.server);
    this.server.commitMaxMs = this.random.pick([5, 30, 400]);
    this.net.weather = {
      lossy: this.random.pick([0, 0.1]),
      delayMaxMs: this.random.pick([5, 40, 300]),
      reachable: true,
    };
    this.server.moody = this.random.pick([0, 0.02]);
  }

  async begin(): Promise<void> {
    for (const id of DOCUMENTS) {
      const document = this.server.document(id);
      const ops = [
        { op: 'put', key: 'counters', value: {} },
        { op: 'put', key: 'tokens', value: { all: [] } },
      ] as const;
      document.push({ document: id, opNo: 1, after: 0, ops }, 'root', 'root', () => undefined);
      document.commit();
    }
    const seats = 2 + this.random.below(2);
    for (let i = 0; i < seats; i++) {
      const name = `p${i}`;
      const client = createClient({
        url: this.#urls(),
        token: () => this.#token(name),
        clock: this.clock,
        random: this.random,
        dialer: this.net,
      });
      client.onError((error) => this.told.push(error.code));
      // All but the last share a document, so that writes meet; one client has both open.
      const person = new Person(name, client, this.random.chance(0.5));
      this.people.push(person);
      if (i === 0) this.people.push(new Person('p0b', client, false));
    }
    await Promise.all(
      this.people.map(async (person) => {
        const opening = person.client.open(person.name === 'p0b' ? DOCUMENTS[1]! : DOCUMENTS[0]!);
        opening.then(
          (board) => this.#watch(person, board),
          () => undefined,
        );
        for (let i = 0; i < 4000 && person.board === undefined; i++) await this.clock.step(Infinity);
        await opening;
      }),
    );
  }

  #urls(): string | string[] {
    if (this.server.balanced) return 'http://balancer';
    const urls = [...this.server.nodes.keys()].map((name) => `http://${name}`);
    return this.random.chance(0.5) ? urls : this.random.pick(urls);
  }

  /** Looks at every single state that is shown. Promises resolve a moment later, so the bounds are a little wide. */
  #watch(person: Person, board: Board): void {
    person.board = board;
    if (this.climate !== 'plain') return;
    board.subscribe(({ origin }) => {
      if (origin === 'local') return; // told before the promise is there
      const { shown, acked, most } = person.counted();
      if (shown < acked || shown > most)
        this.seen.push(`${person.name}: ${shown} not in ${acked}..${most} (${origin})`);
    });
  }

  async live(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (let i = this.random.below(4); i > 0; i--) this.random.pick(this.people).write(this.random);
      if (this.random.chance(0.12)) this.#harm();
      await this.clock.advance(this.random.pick([0, 5, 20, 100, 700]));
      this.checkAlways();
    }
  }

  async heal(): Promise<void> {
    this.net.weather = { lossy: 0, delayMaxMs: 20, reachable: true };
    this.server.moody = 0;
    this.server.storage = 'up';
    this.server.tokens = 'any';
    this.server.staleMaxMs = 0;
    this.net.walled.clear();
    this.net.misrouted = false;
    for (const node of this.server.nodes.values()) node.rise();
    this.#tokens = 'fine';
    // Who waits for nothing learns of a link that went dumb from the pings of the transport.
    await this.clock.advance(DUMB_MS);
    for (let i = 0; i < 240; i++) {
      await this.clock.advance(1_000);
      const idle = this.people.every(({ board }) => {
        const { pending, connection } = board.status;
        return pending === 0 && connection === 'live' && board.position?.seq === this.server.document(board.id).head;
      });
      if (idle) break;
    }
    await this.clock.advance(SETTLED_MS);
    this.checkAlways();
  }

  #harm(): void {
    if (this.server.nodes.size > 1 && this.random.chance(0.5)) return this.#moveAbout();
    const link = this.random.pick([...this.net.links]);
    switch (this.random.below(11)) {
      case 0:
      case 1:
        return link?.cut();
      case 2:
        return link?.goDumb();
      case 3:
        return this.server.kick();
      case 4:
        return this.server.restart();
      case 5:
        this.net.weather = { ...this.net.weather, reachable: !this.net.weather.reachable };
        return;
      case 6:
        this.server.storage = this.server.storage === 'up' ? 'away' : 'up';
        return;
      case 7:
        this.#tokens = this.random.pick(['fine', 'fine', 'failing', 'hanging']);
        return;
      case 8:
        this.server.tokens = this.random.pick(['any', 'any', 'refused']);
        return;
      case 9:
        if (this.climate === 'expiring') this.server.restart((document) => document.forget());
        return;
      default:
        if (this.climate === 'losing history') {
          const timeline = `timeline-${++this.#timelines}`;
          this.server.restart((document) => document.lose(this.random.below(6), timeline));
        }
    }
  }

  /** What happens among nodes. */
  #moveAbout(): void {
    const { random, server, net } = this;
    const name = random.pick([...server.nodes.keys()]);
    switch (random.below(9)) {
      case 0:
      case 1:
      case 2:
        return server.move(random.pick(DOCUMENTS), name, random.chance(0.7));
      case 3:
        server.kill(name);
        return void this.clock.after(random.below(5_000), () => server.node(name).rise());
      case 4:
        server.hang(name);
        return void this.clock.after(4_000 + random.below(5_000), () => server.node(name).rise());
      case 5:
        return net.wall(name, random.chance(0.5));
      case 6:
        return net.walled.clear();
      case 7:
        server.cutOff(name);
        return void this.clock.after(4_000 + random.below(5_000), () => server.node(name).rise());
      case 8:
        net.misrouted = !net.misrouted;
    }
  }

  #token(name: string): Promise<string> {
    switch (this.#tokens) {
      case 'fine':
        return Promise.resolve(name);
      case 'failing':
        return Promise.reject(new Error('the token server is away'));
      case 'hanging':
        return new Promise(() => undefined);
    }
  }

  /** What holds at every moment. */
  checkAlways(): void {
    must(this.seen.length === 0, `own increments count once in every state that is shown: ${this.seen[0]}`);
    for (const person of this.people) {
      const { board } = person;
      if (this.climate === 'plain') {
        const { shown, least, most } = person.counted();
        must(shown >= least, `${person.name} sees its own acknowledged increments: ${shown}, not ${least}`);
        must(shown <= most, `${person.name} sees its own increments once: ${shown}, not ${most}`);
        const seq = board.position?.seq ?? 0;
        must(seq >= person.position, `R2: ${person.name} never goes back, from ${person.position} to ${seq}`);
        person.position = seq;
      }
    }
    must(this.net.fallen.length === 0, `C12: ${this.net.fallen[0]}`);
    const now = this.clock.monotonicMs();
    for (const opens of this.net.opens.values()) {
      while (opens[0] !== undefined && opens[0] <= now - 1_000) opens.shift();
      must(opens.length <= PER_SECOND_MAX, `C14: ${opens.length} opens of one client within a second`);
    }
    const dials = new Map<string | undefined, number>();
    for (let i = this.net.dialed.length - 1; (this.net.dialed[i]?.atMs ?? 0) > now - 1_000; i--) {
      const { session } = this.net.dialed[i]!;
      dials.set(session, (dials.get(session) ?? 0) + 1);
    }
    for (const count of dials.values()) must(count <= PER_SECOND_MAX, `C14: ${count} dials of one client in a second`);
  }

  checkHealed(): void {
    for (const person of this.people) {
      const { board, name } = person;
      const document = this.server.document(board.id);
      const { connection, pending } = board.status;
      must(
        connection === 'live' && pending === 0,
        `${name} is live with nothing pending, not ${connection}, ${pending}`,
      );
      must(board.position?.seq === document.head, `D2: ${name} reached the head ${document.head}`);
      must(stateHash(recordsOf(board)) === stateHash(document.records), `D3: ${name} shows what the server has`);
      this.#checkPinned(person);
      const texts = document.log.map(({ ops }) => JSON.stringify(ops));
      for (const write of person.writes) this.#checkWrite(write, document.log, texts, name);
      if (this.climate !== 'plain') continue;
      must(person.counted().shown === person.counted().acked, `W5: the increments of ${name} counted once`);
    }
  }

  /** With the owner, there alone, and without a socket that nobody needs. */
  #checkPinned({ board, client, name }: Person): void {
    const { owner } = this.server.home(board.id);
    const { node, relayed } = board.status;
    must(node?.id === owner.id && !relayed, `C11: ${name} is pinned to ${owner.id}, not ${node?.id}, ${relayed}`);
    const { session } = client.status;
    for (const at of this.server.nodes.values()) {
      const members = [...at.members.values()].filter((member) => member.session === session);
      must(members.length <= 1, `C11: ${name} has one socket to ${at.name}`);
      const isOpen = members.some(({ open }) => open.has(board.id));
      must(isOpen === (at.name === owner.name), `C11: ${name} has its document open with its owner alone, ${at.name}`);
    }
    const boards = this.people.filter((person) => person.client === client).map((person) => person.board.id);
    const owners = new Set(boards.map((id) => this.server.home(id).owner.id));
    const links = [...this.net.links].filter(({ serverEnd }) => serverEnd.handshake.session === session);
    must(links.length === owners.size, `C11: ${name} has ${links.length} sockets for ${owners.size} owners`);
  }

  #checkWrite({ token, outcome, lasting }: Write, log: readonly Entry[], texts: readonly string[], name: string): void {
    const places = log.filter((_, index) => texts[index]!.includes(`"${token}"`));
    const settled = ['ok', 'expired', 'conflict'];
    must(settled.includes(outcome.is), `${name}: ${token} ended as ${outcome.is}`);
    // An op that another one of its push has replaced, and one without its token in it, leaves no trace.
    must(places.length <= 1, `W5: ${token} is in the log at most once`);
    must(outcome.is !== 'conflict' || places.length === 0, `${token} was refused and is not in the log`);
    if ('seq' in outcome && this.climate !== 'losing history') {
      const entry = log[outcome.seq - 1];
      must(entry?.user === (name === 'p0b' ? 'p0' : name), `W1: ${token} is in the log at its seq ${outcome.seq}`);
      for (const { seq } of places) must(seq === outcome.seq, `W1: ${token} is where the ack says`);
    }
    if (outcome.is !== 'ok' || !lasting || places.length === 1) return;
    // The first loss ends the session, and what an earlier session wrote is not asked for again: see `requeue`.
    if (this.#timelines > 2) return;
    // Sent again after history was lost, and refused there: the promise had resolved long ago, so `onError` tells it.
    must(this.climate === 'losing history', `W1: ${token} is not lost`);
    must(this.told.includes('conflict'), `W1: the loss of ${token} is told`);
  }
}

function recordsOf(board: Board): [string, { value: Json; seq: Seq }][] {
  return [...board.records()].map(([key, { value, seq }]) => [key, { value, seq: seq as Seq }]);
}

/** As an assertion of the test runner, without its cost: this runs millions of times. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
