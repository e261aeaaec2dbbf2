import type { DocumentId, Epoch } from '@homeport/protocol';
import { Documents, type DocumentRef, type Presented } from '../document/document-ref.js';
import type { LocalDocument } from '../document/local-document.js';
import type { Cluster } from './cluster.js';

/** Finds the home of a document: here, or, in a cluster, with another node. */
export class Directory extends Documents {
  readonly #local: (document: DocumentId) => LocalDocument;
  readonly #cluster: Cluster | undefined;

  constructor(local: (document: DocumentId) => LocalDocument, cluster: Cluster | undefined) {
    super();
    this.#local = local;
    this.#cluster = cluster;
  }

  override open(document: DocumentId, pin: 'redirect' | 'relay'): DocumentRef {
    const local = this.#local(document);
    return this.#cluster?.relayed(document, pin, local) ?? local;
  }

  override present(document: DocumentId, shown: Presented): void {
    this.#cluster?.present(document, shown);
  }

  override askPresence(document: DocumentId): void {
    this.#cluster?.askPresence(document);
  }

  override async catchUp(document: DocumentId, epoch: Epoch): Promise<void> {
    await this.#cluster?.catchUp(document, epoch);
  }
}
