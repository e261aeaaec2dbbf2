import type {
  DocumentId,
  EntriesReply,
  Epoch,
  JsonObject,
  NodeRef,
  Page,
  Position,
  PushReply,
  ReadReply,
  ReadRequest,
  Refusal,
  Seq,
  SessionId,
  SessionRecall,
  UserId,
} from '@homeport/protocol';
import type { Pages } from './catch-up.js';
import type { Push } from './document.js';

export interface Opened {
  readonly position: Position;
  readonly owner: NodeRef;
  readonly epoch: Epoch;
  readonly relayed: boolean;
  readonly session: SessionRecall;
  readonly page: Page;
  /** The pages that follow, where the first was not all. */
  readonly rest: Pages;
}

/** A document by its name, wherever it lives. It is resolved at every call. */
export interface DocumentRef {
  /**
   * Joins and takes the first page in one synchronous block: what is committed later comes as frames. `join` answers
   * whether the asker is still there; if not, nothing is opened. Every open that succeeded needs one `leave`.
   */
  open(ask: {
    readonly since: Position | undefined;
    readonly user: UserId;
    readonly session: SessionId;
    readonly join: () => boolean;
    /** Where the document lives elsewhere: joins what its owner publishes, and answers likewise. */
    readonly joinRelayed: () => Promise<boolean>;
  }): Promise<Opened | Refusal>;
  nextPage(rest: Pages): Promise<{ readonly page: Page } | Refusal>;
  leave(): void;
  /**
   * What is open here has just moved to another node, and the asker hears already what its owner publishes: serves it on,
   * over that owner, until `leave`. False: that can not be done.
   */
  follow(): boolean;
  push(push: Push): Promise<PushReply>;
  read(request: ReadRequest): Promise<ReadReply>;
  entries(from: Seq): Promise<EntriesReply>;
}

/** What a session shows of itself on a document; null: nothing any more. */
export interface Presented {
  readonly session: SessionId;
  readonly user: UserId;
  /** Rises with every channel of a session: what an older one says is not heard any more. */
  readonly channel: number;
  readonly state: JsonObject | null;
}

/** Where documents are found. Local or remote is decided here, once. */
export abstract class Documents {
  /** `redirect`: what lives elsewhere is answered `moved`, unless it is followed. `relay`: it is asked for there. */
  abstract open(document: DocumentId, pin: 'redirect' | 'relay'): DocumentRef;

  /** What a session shows of itself on a document that lives elsewhere goes to its owner. At most once. */
  abstract present(document: DocumentId, shown: Presented): void;

  /** Asks the owner to tell everybody who is on the document. At most once. */
  abstract askPresence(document: DocumentId): void;

  /** The asker has heard of this epoch of the document: resolves when this node knows as much, or can not find out. */
  abstract catchUp(document: DocumentId, epoch: Epoch): Promise<void>;
}
