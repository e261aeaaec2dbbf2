import type {
  DocumentId,
  EntriesReply,
  Epoch,
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
  }): Promise<Opened | Refusal>;
  nextPage(rest: Pages): Promise<{ readonly page: Page } | Refusal>;
  leave(): void;
  push(push: Push): Promise<PushReply>;
  read(request: ReadRequest): Promise<ReadReply>;
  entries(from: Seq): Promise<EntriesReply>;
}

/** Where documents are found. Local or remote is decided here, once. */
export abstract class Documents {
  abstract open(document: DocumentId): DocumentRef;
}
