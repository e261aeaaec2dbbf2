import type { DocumentId, EntriesFrame, HeadBeacon, Moved, Resume, ServerToClient } from '@homeport/protocol';
import type { FakeClock } from '../fake-clock.js';
import type { SeededRandom } from '../seeded-random.js';
import { SimBoard, type Pinning } from './sim-board.js';
import type { Line } from './sim-node.js';
import type { Peer } from './sim-wire.js';
import type { Witness } from './witness.js';

/** To the node `towards`, if it can be reached, or to any. */
export type Dial = (client: Peer, session: string, towards: string | undefined) => Line | undefined;

/** Without a word for this long while something is unanswered, it looks for the owner again. */
const SILENCE_MS = 1_000;

/** A client: one session over all its channels. It acts at random, and finds its way back by itself. */
export class SimClient {
  isWriting = true;
  readonly #session: string;
  readonly #world: FakeClock;
  readonly #random: SeededRandom;
  readonly #dial: Dial;
  /** The node to go to next. */
  #towards: string | undefined;
  readonly #boards = new Map<DocumentId, SimBoard>();
  #line: Line | undefined;
  /** The end of the present line: what comes over an older one is not heard. */
  #peer: Peer | undefined;
  #state: 'down' | 'dialing' | 'up' = 'down';
  #heardMs = 0;

  constructor(
    session: string,
    documents: readonly DocumentId[],
    world: FakeClock,
    random: SeededRandom,
    witness: Witness,
    dial: Dial,
    pin: 'redirect' | 'relay' = 'redirect',
    isHeavy = false,
  ) {
    this.#session = session;
    this.#world = world;
    this.#random = random;
    this.#dial = dial;
    for (const document of documents)
      this.#boards.set(document, new SimBoard(document, session, world, random, witness, this.#pinning(pin), isHeavy));
    this.#next();
  }

  get isSettled(): boolean {
    return [...this.#boards.values()].every(({ unsettled }) => unsettled === 0);
  }

  get isAtHead(): boolean {
    return [...this.#boards.values()].every(({ isAtHead }) => isAtHead);
  }

  get holes(): number {
    return [...this.#boards.values()].reduce((sum, { holes }) => sum + holes, 0);
  }

  get wasRelayed(): boolean {
    return [...this.#boards.values()].some(({ wasRelayed }) => wasRelayed);
  }

  get condition(): string {
    return `${this.#state}; ${[...this.#boards.values()].map(({ condition }) => condition).join('; ')}`;
  }

  /** Goes away, as a page in a tunnel does. */
  drop(): void {
    if (this.#line === undefined) return;
    this.#line.hangUp();
    this.#ended();
  }

  #hear(event: keyof ServerToClient, payload: never): void {
    this.#heardMs = this.#world.monotonicMs();
    switch (event) {
      case 'hello':
        this.#state = 'up';
        for (const board of this.#boards.values()) board.connected(this.#line!);
        return;
      case 'entries': {
        const frame: EntriesFrame = payload;
        this.#boards.get(frame.document)!.heardFrame(frame);
        return;
      }
      case 'head': {
        const { document, seq }: HeadBeacon = payload;
        this.#boards.get(document)!.heardHead(seq);
        return;
      }
      case 'resume': {
        const { document }: Resume = payload;
        this.#boards.get(document)!.heardResume();
        return;
      }
      case 'moved': {
        const moved: Moved = payload;
        this.#boards.get(moved.document)!.heardMoved(moved);
        return;
      }
      case 'presence':
      case 'access':
        return;
    }
  }

  #pinning(pin: 'redirect' | 'relay'): Pinning {
    if (pin === 'relay') return { pin };
    const moved: Extract<Pinning, { pin: 'redirect' }>['moved'] = (owner, afterMs) => {
      this.#towards = owner.id;
      this.#world.after(afterMs, () => this.drop());
    };
    return { pin, moved };
  }

  #ended(): void {
    this.#line = undefined;
    this.#peer = undefined;
    this.#state = 'down';
    for (const board of this.#boards.values()) board.disconnected();
  }

  #next(): void {
    this.#world.after(this.#random.between(10, this.#state === 'up' ? 150 : 60), () => {
      this.#act();
      this.#next();
    });
  }

  #act(): void {
    const nowMs = this.#world.monotonicMs();
    if (this.#state === 'down') {
      this.#heardMs = nowMs;
      const peer: Peer = {
        hear: (event, payload) => peer === this.#peer && this.#hear(event, payload),
        heardAnswer: () => peer === this.#peer && (this.#heardMs = this.#world.monotonicMs()),
        ended: () => peer === this.#peer && this.#ended(),
      };
      this.#line = this.#dial(peer, this.#session, this.#towards);
      this.#towards = undefined;
      if (this.#line === undefined) return;
      this.#peer = peer;
      this.#state = 'dialing';
      return;
    }
    const isWaiting = this.#state === 'dialing' || this.#line!.unanswered > 0;
    if (isWaiting && nowMs - this.#heardMs > SILENCE_MS) return this.drop();
    if (!isWaiting) this.#heardMs = nowMs;
    if (this.#state === 'up') this.#random.pick([...this.#boards.values()]).act(this.isWriting);
  }
}
