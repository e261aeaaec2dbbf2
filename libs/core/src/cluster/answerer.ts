/**
 * Answers what other nodes ask about documents that live here. Who asks has looked at the rights of its session; what it
 * asks is judged like everything else, by the owner, under the fence.
 */
import { refuse, type DocumentId, type Refusal, type Seq } from '@homeport/protocol';
import { upTo } from '../document/catch-up.js';
import { RELAY_INTEREST_MS, type DocumentHost } from '../document/document-host.js';
import type { LocalDocument } from '../document/local-document.js';
import { slotOf, type Tenures } from '../document/slot.js';
import type { Clock } from '../runtime/clock.js';
import { BUS_MESSAGE_BYTES_MAX } from './bus.js';
import type { Answers, HeadsAnswer, HeadsQuestion, OpenedElsewhere, Question } from './question.js';

/** A UTF-16 unit is three bytes of UTF-8 at most, and an answer has fields of its own. */
const ANSWER_CHARS_MAX = BUS_MESSAGE_BYTES_MAX / 4;

export class Answerer {
  readonly #host: DocumentHost;
  readonly #tenures: Tenures;
  readonly #clock: Clock;
  readonly #local: (document: DocumentId) => LocalDocument;

  constructor(host: DocumentHost, tenures: Tenures, clock: Clock, local: (document: DocumentId) => LocalDocument) {
    this.#host = host;
    this.#tenures = tenures;
    this.#clock = clock;
    this.#local = local;
  }

  async answer(question: Question): Promise<Answers[Question['is']]> {
    const document = this.#local(question.document);
    switch (question.is) {
      case 'push':
        return document.push(question.push);
      case 'read':
        return fitting(await document.read(question.request));
      case 'entries':
        return document.entries(question.from);
      case 'open':
        return this.#open(question);
    }
  }

  async heads({ documents }: HeadsQuestion): Promise<HeadsAnswer> {
    const heads: Record<DocumentId, Seq> = {};
    const elsewhere: DocumentId[] = [];
    const untilMs = this.#clock.monotonicMs() + RELAY_INTEREST_MS;
    await Promise.all(
      documents.map(async (id) => {
        const head = await this.#host.use(id, (document) => {
          document.relayUntil(untilMs);
          document.flushFrames();
          return { head: document.head };
        });
        if ('head' in head) heads[id] = head.head;
        else if (this.#tenures.epochOf(slotOf(id)) === undefined) elsewhere.push(id);
      }),
    );
    return { heads, elsewhere };
  }

  async #open(question: Extract<Question, { is: 'open' }>): Promise<OpenedElsewhere | Refusal> {
    const { document: id, since, user, session } = question;
    return this.#host.use<OpenedElsewhere | Refusal>(id, (document) => {
      document.relayUntil(this.#clock.monotonicMs() + RELAY_INTEREST_MS);
      document.flushFrames();
      const { position } = document;
      const isKnown = since !== undefined && since.timeline === position.timeline && since.seq <= position.seq;
      const tail = isKnown ? document.recentFrom((since.seq + 1) as Seq) : undefined;
      const isSmall = tail !== undefined && upTo(tail, ANSWER_CHARS_MAX).length === tail.length;
      return {
        ok: true,
        position,
        epoch: this.#tenures.epochOf(document.slot)!,
        session: document.recall(user, session),
        ...(isSmall && { tail }),
      };
    });
  }
}

/** What does not go over the bus is read from the database, by who asked. */
function fitting(reply: Answers['read']): Answers['read'] {
  const isLarge = reply.ok && JSON.stringify(reply.records).length > ANSWER_CHARS_MAX;
  return isLarge ? refuse.tooLarge('busMessageBytes', 'the answer is too large for the bus') : reply;
}
