import type { DocumentId, NodeRef } from '@homeport/protocol';
import type { DocumentHost } from '../document/document-host.js';
import { Documents, type DocumentRef } from '../document/document-ref.js';
import { LocalDocument } from '../document/local-document.js';
import type { Tenures } from '../document/slot.js';

/** Finds the home of a document. While one node has all slots, that is here. */
export class Directory extends Documents {
  readonly #host: DocumentHost;
  readonly #tenures: Tenures;
  readonly #me: NodeRef;

  constructor(host: DocumentHost, tenures: Tenures, me: NodeRef) {
    super();
    this.#host = host;
    this.#tenures = tenures;
    this.#me = me;
  }

  override open(document: DocumentId): DocumentRef {
    return new LocalDocument(document, this.#host, this.#tenures, this.#me);
  }
}
