/**
 * Asks the owners of documents that live elsewhere, on behalf of sessions that can not go there, and of HTTP.
 *
 * A question goes to whom the map names. If that node says that the document has moved, the map is read and the question
 * goes there; beyond that the asker is told to come again. A push carries its opNo, so a question without an answer is
 * asked again: it has one effect, and what still waits at the owner is joined.
 *
 * What owners publish reaches the relayed channels through the fan-out. Once a second, whenever the map changes, and when
 * the bus is back, each owner is asked for the heads of the documents that are relayed here: that renews the interest, and
 * the answer is the beacon by which a lost last frame is noticed.
 */
import { refuse, type DocumentId, type Refusal } from '@homeport/protocol';
import type { FanOut } from '../document/fan-out.js';
import { slotOf } from '../document/slot.js';
import { pause, type Clock } from '../runtime/clock.js';
import { BusFailed, type Bus, type BusMessage } from './bus.js';
import type { NodeRow } from './lease-table.js';
import type { Membership } from './membership.js';
import type { Answers, HeadsAnswer, HeadsQuestion, Question } from './question.js';
import type { SlotMap } from './slot-map.js';

/** A question without an answer is asked again after so long, as long as its asker waits. */
const TRY_MS = 1_000;
const TRIES_MAX = 8;
const AGAIN_MS = 50;
/** While the bus is away, to ask costs nothing, and nobody who waits may wait much longer than it. */
export const AWAY_RETRY_MS = 250;
/** The owner, and the one that it names. */
const HOPS_MAX = 2;
const HEADS_PER_QUESTION = 500;

export class Relay {
  readonly #me: string;
  readonly #bus: Bus;
  readonly #membership: Membership;
  readonly #map: SlotMap;
  readonly #fanOut: FanOut;
  readonly #clock: Clock;
  /** Brings the map up to date, as far as that can be done. */
  readonly #refresh: () => Promise<void>;
  /** Documents that are relayed here turned out to live here. */
  readonly #atHome: (documents: readonly DocumentId[]) => void;
  /** Channels on each document. */
  readonly #relayed = new Map<DocumentId, number>();

  constructor(parts: {
    readonly me: string;
    readonly bus: Bus;
    readonly membership: Membership;
    readonly map: SlotMap;
    readonly fanOut: FanOut;
    readonly clock: Clock;
    readonly refresh: () => Promise<void>;
    readonly atHome: (documents: readonly DocumentId[]) => void;
  }) {
    this.#me = parts.me;
    this.#bus = parts.bus;
    this.#membership = parts.membership;
    this.#map = parts.map;
    this.#fanOut = parts.fanOut;
    this.#clock = parts.clock;
    this.#refresh = parts.refresh;
    this.#atHome = parts.atHome;
  }

  /**
   * `here`: this node is the owner, by now. `isWanted`: asked before each further try. Whoever has given up may have heard
   * the answer on another way, and be told for good that its push was refused: an owner that does not remember that
   * would take it for a new one.
   */
  async ask<Is extends Question['is']>(
    asked: Extract<Question, { is: Is }>,
    isWanted: () => boolean,
  ): Promise<Answers[Is] | Refusal | 'here'> {
    const question: Question = asked;
    const isRepeatable = question.is !== 'push' || question.push.opNo > 0;
    let hops = 0;
    for (let tries = 0; tries < TRIES_MAX && (tries === 0 || isWanted()); tries++) {
      const owner = this.#ownerOf(question.document);
      if (owner?.id === this.#me) return 'here';
      if (owner === undefined) return refuse.unavailable('the document has no owner at the moment', 250);
      try {
        const answer = (await this.#bus.ask(
          owner.id,
          question as unknown as BusMessage,
          isRepeatable ? TRY_MS : TRY_MS * TRIES_MAX,
        )) as unknown as Answers[Is];
        if (answer.ok || answer.code !== 'moved') return answer;
        if (++hops >= HOPS_MAX) return refuse.unavailable('the document is moving', 100);
        await this.#refresh();
      } catch (error) {
        if (!(error instanceof BusFailed)) throw error;
        if (!isRepeatable || !this.#bus.isUp) return refuse.unavailable(outOfReach(owner), AWAY_RETRY_MS);
        // Where nobody listens it fails at once; a takeover takes a moment.
        await pause(this.#clock, AGAIN_MS);
        await this.#refresh();
      }
    }
    return refuse.unavailable('the owner of the document does not answer', 500);
  }

  get documentCount(): number {
    return this.#relayed.size;
  }

  joined(document: DocumentId): void {
    this.#relayed.set(document, (this.#relayed.get(document) ?? 0) + 1);
  }

  left(document: DocumentId): void {
    const channels = (this.#relayed.get(document) ?? 0) - 1;
    if (channels > 0) this.#relayed.set(document, channels);
    else this.#relayed.delete(document);
  }

  tell(document: DocumentId, notice: BusMessage): void {
    const owner = this.#ownerOf(document);
    if (owner !== undefined && owner.id !== this.#me) this.#bus.tell(notice, owner.id);
  }

  /** Called about once a second, when the map has changed, and when the bus is back. */
  async tick(): Promise<void> {
    const byOwner = new Map<string, DocumentId[]>();
    const here: DocumentId[] = [];
    for (const document of this.#relayed.keys()) {
      const owner = this.#ownerOf(document);
      if (owner === undefined) continue;
      if (owner.id === this.#me) here.push(document);
      else {
        const theirs = byOwner.get(owner.id);
        if (theirs) theirs.push(document);
        else byOwner.set(owner.id, [document]);
      }
    }
    if (here.length > 0) this.#atHome(here);
    await Promise.all([...byOwner].map(([owner, documents]) => this.#askHeads(owner, documents)));
  }

  async #askHeads(owner: string, documents: readonly DocumentId[]): Promise<void> {
    let elsewhere = 0;
    for (let from = 0; from < documents.length; from += HEADS_PER_QUESTION) {
      const answer = await this.#headsOf(owner, documents.slice(from, from + HEADS_PER_QUESTION));
      if (answer === undefined) return;
      for (const [document, seq] of Object.entries(answer.heads))
        this.#fanOut.deliverRelayed(document, 'head', `{"document":"${document}","seq":${seq}}`);
      elsewhere += answer.elsewhere.length;
    }
    if (elsewhere > 0) await this.#refresh();
  }

  /** Where nobody listens it fails at once: when Redis is back, the owner may find it a moment later than this node. */
  async #headsOf(owner: string, documents: readonly DocumentId[]): Promise<HeadsAnswer | undefined> {
    const question: HeadsQuestion = { is: 'heads', documents };
    const endMs = this.#clock.monotonicMs() + TRY_MS;
    let againMs = AGAIN_MS;
    do {
      try {
        const answer = await this.#bus.ask(owner, question as unknown as BusMessage, TRY_MS);
        return answer as unknown as HeadsAnswer;
      } catch (error) {
        if (!(error instanceof BusFailed)) throw error;
      }
      await pause(this.#clock, againMs);
      againMs *= 2;
    } while (this.#bus.isUp && this.#clock.monotonicMs() < endMs);
    return undefined;
  }

  #ownerOf(document: DocumentId): NodeRow | undefined {
    const owner = this.#map.ownerOf(slotOf(document));
    return owner === undefined ? undefined : this.#membership.find(owner);
  }
}

function outOfReach({ name, url }: NodeRow): string {
  return `the document lives on ${name} (${url}), which can not be reached from here at the moment`;
}
