import type { DocumentId, OpenedHead, OpenNextReply, OpenReply, OpenRequest, Page, Refusal } from '@homeport/protocol';
import type { Channel } from './channel.js';

export interface OpeningPort {
  /** The head of the first page: answers false if its pages are not wanted. */
  head(head: OpenedHead, page: Page): boolean;
  page(page: Page): void;
  refused(refusal: Refusal): void;
}

/** One `open` on one channel, and its pages, each asked for when the one before it is here. Silent after `end`. */
export class Opening {
  readonly #channel: Channel;
  readonly #document: DocumentId;
  readonly #port: OpeningPort;
  #ended = false;

  constructor(channel: Channel, request: OpenRequest, port: OpeningPort) {
    this.#channel = channel;
    this.#document = request.document;
    this.#port = port;
    channel.request('open', request, (answer) => {
      const reply = answer as OpenReply;
      if (this.#ended) return;
      if (!reply.ok) port.refused(reply);
      else if (port.head(reply, reply)) this.#askFor(reply.next);
    });
  }

  end(): void {
    this.#ended = true;
  }

  #askFor(next: number | undefined): void {
    if (this.#ended || next === undefined) return;
    this.#channel.request('open', { document: this.#document, next }, (answer) => {
      const reply = answer as OpenNextReply;
      if (this.#ended) return;
      if (!reply.ok) return this.#port.refused(reply);
      this.#port.page(reply);
      this.#askFor(reply.next);
    });
  }
}
