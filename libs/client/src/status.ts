/** What the SDK tells about itself. Each object is replaced when something in it changed, never changed in place. */
import type { Access, NodeRef, Position, SessionId, UserId } from '@homeport/protocol';
import type { HomeportError } from './homeport-error.js';

/**
 * - `connecting`       the first dial, or a socket is there and the document is being opened or its owner sought
 * - `live`             what is shown is what the owner has, plus what is pending
 * - `offline`          no socket to any node; writes are kept and it dials again by itself
 * - `unauthenticated`  the token was refused or could not be fetched; with a token function it tries again by itself
 * - `refused`          it will not come back by itself: `error` says why
 * - `closed`           closed by the application
 */
export type ConnectionStatus = 'connecting' | 'live' | 'offline' | 'unauthenticated' | 'refused' | 'closed';

export interface ClientStatus {
  readonly connection: ConnectionStatus;
  /** The node that a socket leads to, while there is one: of several, one. */
  readonly node: NodeRef | undefined;
  /** Who the server says that we are, once it has said so. */
  readonly user: UserId | undefined;
  readonly session: SessionId;
  /** Why `refused`, `unauthenticated` or `offline`, where that is known. */
  readonly error: HomeportError | undefined;
}

export interface BoardStatus {
  readonly connection: ConnectionStatus;
  /** Pushes that are not acknowledged yet, sent or not. 0: all that is shown is saved. */
  readonly pending: number;
  /** A read that demands this position sees all that was applied here and all of one's own acknowledged writes. */
  readonly position: Position | undefined;
  /** The owner of the document, as the last open said. */
  readonly node: NodeRef | undefined;
  /** Another node serves the document in the owner's name: there is no way from here to the owner. */
  readonly relayed: boolean;
  readonly access: Access | 'none';
  /** Own pushes given up because nobody can tell any more whether they were committed. */
  readonly expired: number;
  readonly error: HomeportError | undefined;
}

/** How long one push took from its first sending to its acknowledgement. */
export interface AckSample {
  /** Wall clock, ms since 1970. */
  readonly at: number;
  readonly tookMs: number;
}
