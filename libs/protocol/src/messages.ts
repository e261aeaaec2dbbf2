/**
 * The wire, version 1: every message that a client and a node exchange.
 *
 * Socket.IO carries named events. A request has an acknowledgement, which is always an object with `ok`.
 * A position is (timeline, seq): the seq alone means nothing once Postgres has lost history (a restore, an
 * asynchronous failover), so whatever is resumed from or demanded of a read names both. The idea is Centrifugo's
 * (offset, epoch) stream position.
 */
import type { Refusal } from './codes.js';
import type { Limits } from './limits.js';
import type {
  DocumentId,
  Epoch,
  Json,
  JsonObject,
  NodeRef,
  Position,
  Seq,
  SessionId,
  Timeline,
  UserId,
} from './terms.js';

/** A record as it is shown: its value, and the seq that last changed it (its version). */
export interface RecordState {
  readonly value: Json;
  readonly seq: Seq;
}
export type RecordStates = { readonly [key: string]: RecordState };

/** What must hold for an op to be accepted. A session's own later writes do not count against `{seq}`. */
export type Condition = { readonly absent: true } | { readonly exists: true } | { readonly seq: Seq };

export type Op =
  | { readonly op: 'put'; readonly key: string; readonly value: Json; readonly if?: Condition }
  | {
      readonly op: 'patch';
      readonly key: string;
      readonly set: JsonObject;
      readonly unset: readonly string[];
      readonly if?: Condition;
    }
  | { readonly op: 'delete'; readonly key: string; readonly if?: Condition }
  | {
      readonly op: 'increment';
      readonly key: string;
      readonly field: string;
      readonly by: number;
      readonly if?: Condition;
    }
  | {
      readonly op: 'append';
      readonly key: string;
      readonly field: string;
      readonly values: readonly Json[];
      readonly if?: Condition;
    };

/** A push that has been given its place. `at` is the owner's wall clock in ms, for people, never for order. */
export interface Entry {
  readonly seq: Seq;
  readonly session: SessionId;
  readonly opNo: number;
  readonly user: UserId;
  readonly at: number;
  readonly ops: readonly Op[];
}

export type Access = 'read' | 'write';

// ── client → server ────────────────────────────────────────────────────────────────────────────────────────────────

/** What the client puts in Socket.IO's `auth`. */
export interface Handshake {
  readonly protocol: number;
  readonly token?: string;
  readonly session?: SessionId;
}

export interface OpenRequest {
  readonly document: DocumentId;
  readonly since?: Position;
  readonly epoch?: Epoch;
  readonly pin?: 'redirect' | 'relay';
}
/** Asks for the page after the one whose reply carried this `next`. */
export interface OpenNextRequest {
  readonly document: DocumentId;
  readonly next: number;
}
export interface PushRequest {
  readonly document: DocumentId;
  /** 1, 2, 3 … per (document, session); never used for two contents. */
  readonly opNo: number;
  /** The opNo of this session's last push before this one that was not refused; 0 if none. */
  readonly after: number;
  /** The seq of this session's last ack here, or of its first open: tells whether its marks may have been forgotten. */
  readonly base?: Seq;
  readonly ops: readonly Op[];
}
export interface ReadRequest {
  readonly document: DocumentId;
  readonly keys?: readonly string[];
  readonly prefix?: string;
  readonly minSeq?: Seq;
  readonly timeline?: Timeline;
  readonly allowStale?: boolean;
}
export interface EntriesRequest {
  readonly document: DocumentId;
  readonly from: Seq;
}
export interface PresenceRequest {
  readonly document: DocumentId;
  /** `null` clears. */
  readonly state: JsonObject | null;
}
export interface TokenRequest {
  readonly token: string;
}
export interface CloseRequest {
  readonly document: DocumentId;
}

/** What the owner remembers of this session: the last accepted opNo and the acks among its last 64 opNos. */
export interface SessionRecall {
  readonly accepted: number;
  readonly recent: readonly (readonly [opNo: number, seq: Seq])[];
}

export interface OpenedHead {
  readonly ok: true;
  /** The head when the first page was made. Later pages may hold younger records: an entry changes a record only if its seq is above the record's. */
  readonly position: Position;
  readonly access: Access;
  readonly owner: NodeRef;
  readonly epoch: Epoch;
  readonly relayed: boolean;
  readonly session: SessionRecall;
}
export interface Page {
  readonly snapshot?: { readonly records: RecordStates };
  readonly tail?: readonly Entry[];
  /** Present: there is more, ask again with it. */
  readonly next?: number;
}
export type OpenReply = (OpenedHead & Page) | Refusal;
export type OpenNextReply = ({ readonly ok: true } & Page) | Refusal;
export type PushReply = { readonly ok: true; readonly position: Position } | Refusal;
export type ReadReply =
  { readonly ok: true; readonly position: Position; readonly records: RecordStates; readonly stale?: true } | Refusal;
export type EntriesReply = { readonly ok: true; readonly entries: readonly Entry[]; readonly to: Seq } | Refusal;
export type TokenReply = { readonly ok: true; readonly expiresAt: number | null } | Refusal;
export type CloseReply = { readonly ok: true } | Refusal;

// ── server → client ────────────────────────────────────────────────────────────────────────────────────────────────

export interface Hello {
  readonly node: NodeRef;
  readonly session: SessionId;
  readonly user: UserId;
  readonly protocol: number;
  readonly limits: Limits;
}
/** A frame: the entries `from..to` of one document, in order, the same for every receiver. */
export interface EntriesFrame {
  readonly document: DocumentId;
  readonly from: Seq;
  readonly to: Seq;
  readonly entries: readonly Entry[];
}
/** What one session shows of itself; `user` is the server's word, the rest the client's. */
export interface PresenceState {
  readonly user: UserId;
  /** Rises with every channel of the session, so that a late close of an old one clears nothing. */
  readonly channel: number;
  readonly state: JsonObject;
}
export interface PresenceFrame {
  readonly document: DocumentId;
  /** True: these are all sessions; false: only those that changed. */
  readonly full: boolean;
  readonly sessions: { readonly [session: SessionId]: PresenceState | null };
}
export interface HeadBeacon {
  readonly document: DocumentId;
  readonly seq: Seq;
}
export interface Moved {
  readonly document: DocumentId;
  readonly owner: NodeRef;
  readonly epoch: Epoch;
  readonly afterMs: number;
}
/** The session was too slow and left the document: open it again from its position. */
export interface Resume {
  readonly document: DocumentId;
}
export interface AccessChange {
  readonly document: DocumentId;
  readonly access: Access | 'none';
}

export interface ClientToServer {
  open(request: OpenRequest | OpenNextRequest, ack: (reply: OpenReply | OpenNextReply) => void): void;
  push(request: PushRequest, ack: (reply: PushReply) => void): void;
  read(request: ReadRequest, ack: (reply: ReadReply) => void): void;
  entries(request: EntriesRequest, ack: (reply: EntriesReply) => void): void;
  presence(request: PresenceRequest): void;
  token(request: TokenRequest, ack: (reply: TokenReply) => void): void;
  close(request: CloseRequest, ack: (reply: CloseReply) => void): void;
}

export interface ServerToClient {
  hello(hello: Hello): void;
  entries(frame: EntriesFrame): void;
  presence(frame: PresenceFrame): void;
  head(beacon: HeadBeacon): void;
  moved(moved: Moved): void;
  resume(resume: Resume): void;
  access(change: AccessChange): void;
}
