/**
 * A cluster of many nodes on a fake clock: the whole of core in each, a memory database and a memory bus between them, and
 * no documents: what is measured is what the cluster costs by itself, and how soon it comes to rest after a change.
 *
 * The database answers each statement within a few milliseconds however many there are, and the bus within one: what is
 * sent is as in earnest, times are those of a Postgres and a Redis that are not at their limits.
 */
import { SLOTS } from '@homeport/core';
import { FakeClock, MemoryDatabase, MemoryExchange, SeededRandom } from '@homeport/testkit';
import { Member, type World } from './member.js';
import { Connections } from './simulated-peers.js';
import { Traffic } from './traffic.js';

export class ScaledCluster implements World {
  readonly clock = new FakeClock();
  readonly random: SeededRandom;
  readonly database: MemoryDatabase;
  readonly exchange: MemoryExchange;
  readonly connections: Connections;
  readonly redis = new Traffic(this.clock);
  readonly postgres = new Traffic(this.clock);
  readonly #members = new Map<string, Member>();
  #booted = 0;
  /** Who did not agree when it was last asked: asked first the next time. */
  #dissenter: Member | undefined;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.database = new MemoryDatabase(this.clock, this.random);
    this.exchange = new MemoryExchange(this.clock, this.random);
    this.connections = new Connections(this.clock, this.random);
  }

  /** One more node, which counts from now on and starts `afterMs` later. A start that fails ends the run. */
  boot(afterMs = 0): void {
    const member = new Member(this, ++this.#booted);
    this.#members.set(member.id, member);
    this.clock.after(afterMs, () => void member.start());
  }

  /** Those that are neither dead nor hanging. */
  get running(): readonly Member[] {
    return [...this.#members.values()].filter(isRunning);
  }

  get owners(): readonly (string | undefined)[] {
    return this.database.slots.map(({ owner }) => owner);
  }

  /** How many times a slot has got an owner: the version of the map. */
  get transfers(): number {
    return this.database.slots.reduce((sum, { epoch }) => sum + epoch, 0);
  }

  /** Every slot has an owner that runs. */
  get isOwned(): boolean {
    return this.owners.every((owner) => owner !== undefined && isRunning(this.#members.get(owner)));
  }

  /** Every node that runs serves, and knows who is there and who owns what. */
  get isAgreed(): boolean {
    const running = this.running;
    if (this.#dissenter !== undefined && !running.includes(this.#dissenter)) this.#dissenter = undefined;
    const asked = this.#dissenter === undefined ? running : [this.#dissenter, ...running];
    const version = this.transfers;
    this.#dissenter = asked.find((member) => {
      if (member.state !== 'serving') return true;
      const view = member.node.view();
      return view.version !== version || !isSame(view.nodes, running);
    });
    return this.#dissenter === undefined;
  }

  /** No two shares differ by more than one slot. */
  get isBalanced(): boolean {
    const shares = new Map(this.running.map(({ id }) => [id, 0]));
    for (const owner of this.owners) if (owner !== undefined) shares.set(owner, (shares.get(owner) ?? 0) + 1);
    const sizes = [...shares.values()];
    return Math.max(...sizes) - Math.min(...sizes) <= 1;
  }

  get fairShare(): number {
    return Math.ceil(SLOTS / this.running.length);
  }
}

function isRunning(member: Member | undefined): boolean {
  return member !== undefined && member.state !== 'ended' && member.state !== 'hanging';
}

function isSame(seen: readonly { readonly id: string }[], running: readonly Member[]): boolean {
  const ids = new Set(seen.map(({ id }) => id));
  return ids.size === running.length && running.every(({ id }) => ids.has(id));
}
