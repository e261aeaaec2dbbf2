import {
  refuse,
  type DocumentId,
  type NodeRef,
  type Position,
  type ReadReply,
  type ReadRequest,
} from '@homeport/protocol';
import type { Pages } from './catch-up.js';
import type { DocumentHost } from './document-host.js';
import type { DocumentRef } from './document-ref.js';
import type { Document, Push } from './document.js';
import type { Tenures } from './slot.js';

/** A document that lives on this node. */
export class LocalDocument implements DocumentRef {
  readonly #id: DocumentId;
  readonly #host: DocumentHost;
  readonly #tenures: Tenures;
  readonly #me: NodeRef;

  constructor(id: DocumentId, host: DocumentHost, tenures: Tenures, me: NodeRef) {
    this.#id = id;
    this.#host = host;
    this.#tenures = tenures;
    this.#me = me;
  }

  async open(ask: Parameters<DocumentRef['open']>[0]): ReturnType<DocumentRef['open']> {
    return this.#host.use(this.#id, (document) => {
      const rest = document.pages(ask.since);
      if (!ask.join()) return refuse.unavailable('the session went away', 0);
      document.readers++;
      return {
        position: document.position,
        owner: this.#me,
        epoch: this.#tenures.epochOf(document.slot)!,
        relayed: false,
        session: document.recall(ask.user, ask.session),
        page: document.nextPage(rest)!,
        rest,
      };
    });
  }

  async nextPage(rest: Pages): ReturnType<DocumentRef['nextPage']> {
    return this.#host.use(this.#id, (document) => {
      const page = document.nextPage(rest);
      return page === undefined ? refuse.invalid('next', 'there is no further page') : { page };
    });
  }

  leave(): void {
    this.#host.leave(this.#id);
  }

  follow(): boolean {
    return false;
  }

  push(push: Push) {
    return this.#host.push(this.#id, push);
  }

  async read(request: ReadRequest): Promise<ReadReply> {
    return this.#host.use<ReadReply>(
      this.#id,
      (document) => readReply(document, request, !this.#tenures.mayServe(document.slot)),
      request.allowStale ?? false,
    );
  }

  entries(from: Parameters<DocumentRef['entries']>[0]) {
    return this.#host.entries(this.#id, from);
  }
}

export function readReply(document: Document, request: ReadRequest, isStale: boolean): ReadReply {
  const { keys, prefix, minSeq, timeline } = request;
  const position: Position = document.position;
  if (timeline !== undefined && timeline !== position.timeline)
    return refuse.resync(`the history is ${position.timeline} now`);
  if (minSeq !== undefined && minSeq > position.seq) return refuse.resync(`the document ends at ${position.seq}`);
  const records = document.read({ ...(keys && { keys }), ...(prefix !== undefined && { prefix }) });
  return { ok: true, position, records, ...(isStale && { stale: true as const }) };
}
