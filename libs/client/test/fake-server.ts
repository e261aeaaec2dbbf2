/**
 * The documented wire on fake documents: nodes that share them, one owner for each at a time, coalesced frames, beacons,
 * and bad manners. A document changes its owner by a handoff, or after the death of its owner; nodes that took no part
 * learn of it later.
 */
import type { Entry, Epoch, NodeRef, PushReply, PushRequest } from '@homeport/protocol';
import type { FakeClock } from './fake-clock.js';
import { FakeDocument } from './fake-document.js';
import { FakeNode, type Member } from './fake-node.js';
import type { SeededRandom } from './seeded-random.js';

type Answer = (reply: object) => void;

interface PassedOn {
  readonly by: FakeNode;
  readonly request: PushRequest;
  readonly member: Member;
  readonly answer: Answer;
}

interface Home {
  /** None: it died, and nobody has taken over yet. */
  readonly node: FakeNode | undefined;
  readonly owner: NodeRef;
  readonly epoch: Epoch;
}

export class FakeServer {
  readonly documents = new Map<string, FakeDocument>();
  readonly nodes = new Map<string, FakeNode>();
  /** Share of requests that are refused for a while, moved, or kicked out. */
  moody = 0;
  commitMaxMs = 30;
  /** How long a node may not know that a document has another owner. */
  staleMaxMs = 0;
  /** All nodes share one public address, and `?node=` chooses. */
  balanced = false;
  /** No commits; beacons go on. */
  storage: 'up' | 'away' = 'up';
  tokens: 'any' | 'refused' = 'any';
  access: 'read' | 'write' = 'write';
  readonly counts = {
    opens: 0,
    pushes: 0,
    refusals: 0,
    crashes: 0,
    snapshots: 0,
    tails: 0,
    moves: 0,
    redirects: 0,
    relayed: 0,
  };
  readonly clock: FakeClock;
  readonly random: SeededRandom;
  readonly #homes = new Map<string, Home>();
  /** What other nodes passed on and have no answer to: they send it again when its owner is lost. */
  readonly #passedOn = new Set<PassedOn>();
  #unsent: { id: string; entries: readonly Entry[] }[] = [];

  constructor(clock: FakeClock, random: SeededRandom, nodes: readonly string[] = ['n']) {
    this.clock = clock;
    this.random = random;
    for (const name of nodes) this.nodes.set(name, new FakeNode(name, this));
    this.#beacon();
  }

  document(id: string): FakeDocument {
    const known = this.documents.get(id) ?? new FakeDocument();
    this.documents.set(id, known);
    return known;
  }

  urlOf(name: string): string {
    return this.balanced ? 'http://balancer' : `http://${name}`;
  }

  node(name: string): FakeNode {
    return this.nodes.get(name)!;
  }

  home(id: string): Home {
    const known = this.#homes.get(id);
    if (known !== undefined) return known;
    const node = [...this.nodes.values()][id.length % this.nodes.size]!;
    return this.#settle(id, node, 1);
  }

  passOn(passed: PassedOn): void {
    this.#passedOn.add(passed);
    this.push(passed.request, passed.member, (reply) => {
      this.#passedOn.delete(passed);
      passed.answer(reply);
    });
  }

  push(request: PushRequest, { user, session }: Member, answer: Answer): void {
    const document = this.document(request.document);
    const idle = !document.waits;
    const reply = (told: PushReply): void => {
      if (!told.ok) this.counts.refusals++;
      answer(told);
    };
    this.counts.pushes++;
    document.push(request, user, session, reply);
    if (idle && document.waits) this.#commitLater(request.document, document);
  }

  // ── ownership ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A handoff: what is pending is committed first. */
  move(id: string, to: string, servesOn = true, afterMs = (): number => this.random.below(300)): void {
    const from = this.home(id).node;
    const target = this.node(to);
    if (from === undefined || from === target || from.state !== 'up' || target.state !== 'up') return;
    this.counts.moves++;
    this.#commit(id, this.document(id));
    const { owner, epoch } = this.#settle(id, target, this.home(id).epoch + 1);
    from.handOver(id, { owner, epoch }, servesOn, afterMs);
  }

  /** The process dies. Its documents are taken over, with what it had committed. */
  kill(name: string, takeoverMs = this.random.below(400)): void {
    const node = this.node(name);
    if (node.state === 'down') return;
    this.counts.crashes++;
    node.die();
    this.#loseOwner(node, takeoverMs);
  }

  /** The process stops in its tracks; nobody is told. After the lease it has lost its documents. */
  hang(name: string, leaseMs = 3_000): void {
    const node = this.node(name);
    if (node.state !== 'up') return;
    this.counts.crashes++;
    node.state = 'hung';
    this.#loseOwner(node, leaseMs);
  }

  /** It has lost its documents and knows no heir, but it answers. */
  cutOff(name: string, leaseMs = 3_000): void {
    const node = this.node(name);
    if (node.state !== 'up') return;
    node.state = 'cut off';
    this.#loseOwner(node, leaseMs);
  }

  #loseOwner(node: FakeNode, takeoverMs: number): void {
    for (const passed of this.#passedOn) if (passed.by === node) this.#passedOn.delete(passed);
    for (const [id, home] of this.#homes) {
      if (home.node !== node) continue;
      this.document(id).crash();
      this.#unsent = this.#unsent.filter((batch) => batch.id !== id);
      this.#homes.set(id, { ...home, node: undefined });
      this.clock.after(takeoverMs, () => this.#takeOver(id));
    }
  }

  #takeOver(id: string): void {
    const home = this.home(id);
    if (home.node !== undefined) return;
    const heirs = [...this.nodes.values()].filter(({ state }) => state === 'up');
    if (heirs.length === 0) this.clock.after(100, () => this.#takeOver(id));
    else this.#settle(id, this.random.pick(heirs), home.epoch + 1);
    for (const passed of [...this.#passedOn]) {
      if (passed.request.document !== id || this.home(id).node === undefined) continue;
      this.#passedOn.delete(passed);
      this.passOn(passed);
    }
  }

  #settle(id: string, node: FakeNode, epoch: number): Home {
    const home = { node, owner: node.ref, epoch: epoch as Epoch };
    this.#homes.set(id, home);
    for (const other of this.nodes.values()) {
      const learns = (): void => {
        if ((other.map.get(id)?.epoch ?? 0) < epoch) other.map.set(id, { owner: home.owner, epoch: home.epoch });
      };
      if (other === node || this.staleMaxMs === 0) learns();
      else this.clock.after(this.random.below(this.staleMaxMs), learns);
    }
    return home;
  }

  // ── bad days ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** All processes die and come back: all links break, what was not committed never was. */
  restart(change: (document: FakeDocument) => void = (document) => document.crash()): void {
    this.counts.crashes++;
    this.#unsent = [];
    this.#passedOn.clear();
    for (const { members } of this.nodes.values()) for (const end of [...members.keys()]) end.cut();
    for (const document of this.documents.values()) change(document);
  }

  /** Somebody was too slow. */
  kick(): void {
    const [end, member] = this.random.pick(this.#members()) ?? [];
    const id = member && [...member.open.keys()][0];
    if (end === undefined || id === undefined) return;
    member.open.delete(id);
    end.send('resume', { document: id });
  }

  /** To everybody who has the document open, wherever. */
  tell(id: string, event: string, payload: object): void {
    for (const [end, member] of this.#members()) if (member.open.has(id)) end.send(event, payload);
  }

  #members() {
    return [...this.nodes.values()].filter(({ state }) => state === 'up').flatMap(({ members }) => [...members]);
  }

  #commitLater(id: string, document: FakeDocument): void {
    this.clock.after(this.random.next() * this.commitMaxMs, () => {
      if (!document.waits) return;
      if (this.storage === 'away') return this.#commitLater(id, document);
      this.#commit(id, document);
    });
  }

  #commit(id: string, document: FakeDocument): void {
    if (!document.waits) return;
    this.#unsent.push({ id, entries: document.commit() });
    this.clock.after(this.random.pick([0, 0, 16]), () => this.#frames());
  }

  /** What was committed meanwhile leaves as one frame per document. */
  #frames(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const id of new Set(unsent.map((batch) => batch.id))) {
      const entries = unsent.filter((batch) => batch.id === id).flatMap((batch) => batch.entries);
      const [from, to] = [entries[0]?.seq, entries.at(-1)?.seq];
      this.tell(id, 'entries', { document: id, from, to, entries });
    }
  }

  #beacon(): void {
    this.clock.after(1_000, () => {
      for (const [id, document] of this.documents) {
        if (this.home(id).node === undefined) continue;
        const held = this.#unsent.find((batch) => batch.id === id)?.entries[0]?.seq;
        this.tell(id, 'head', { document: id, seq: held === undefined ? document.head : held - 1 });
      }
      this.#beacon();
    });
  }
}
