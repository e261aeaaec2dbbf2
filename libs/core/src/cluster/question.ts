/**
 * What nodes say to one another over the bus. It is sealed, so the sender's word for the shape is taken. During a rolling
 * upgrade the two ends may be of different versions: fields are added, never changed.
 */
import type {
  DocumentId,
  EntriesReply,
  Epoch,
  Position,
  PushReply,
  ReadReply,
  ReadRequest,
  Refusal,
  Seq,
  SessionId,
  SessionRecall,
  UserId,
  Entry,
} from '@homeport/protocol';
import type { Presented } from '../document/document-ref.js';
import type { Push } from '../document/document.js';
import type { ClusterEvent, NodeLoad } from './cluster-view.js';

/** About a document, to its owner. */
export type Question =
  | { readonly is: 'push'; readonly document: DocumentId; readonly push: Push }
  | { readonly is: 'read'; readonly document: DocumentId; readonly request: ReadRequest }
  | { readonly is: 'entries'; readonly document: DocumentId; readonly from: Seq }
  | {
      readonly is: 'open';
      readonly document: DocumentId;
      readonly since?: Position;
      readonly user: UserId;
      readonly session: SessionId;
    };

/** The heads of documents that the asker relays; by asking it goes on hearing what is published of them. */
export interface HeadsQuestion {
  readonly is: 'heads';
  readonly documents: readonly DocumentId[];
}

/** Slots were given to who is asked: it looks at the lease table, and answers when it serves them. */
export interface GivenQuestion {
  readonly is: 'given';
}

export interface OpenedElsewhere {
  readonly ok: true;
  readonly position: Position;
  readonly epoch: Epoch;
  readonly session: SessionRecall;
  /** What came after `since`. Left out: it is too much, or not at hand; the records are in the database. */
  readonly tail?: readonly Entry[];
}

export interface Answers {
  readonly push: PushReply;
  readonly read: ReadReply;
  readonly entries: EntriesReply;
  readonly open: OpenedElsewhere | Refusal;
}

export interface HeadsAnswer {
  readonly heads: { readonly [document: DocumentId]: Seq };
  /** Those that are not the answerer's. */
  readonly elsewhere: readonly DocumentId[];
}

/** Hints. */
export type Notice =
  | { readonly is: 'heartbeat'; readonly version: number; readonly load: NodeLoad }
  | { readonly is: 'changed'; readonly version: number; readonly at: number; readonly event: ClusterEvent }
  | { readonly is: 'presence'; readonly document: DocumentId; readonly shown: Presented }
  /** Somebody who is relayed wants to know who is on the document. */
  | { readonly is: 'presence?'; readonly document: DocumentId }
  /** Rights were taken away: the database says whose. */
  | { readonly is: 'revoked' };
