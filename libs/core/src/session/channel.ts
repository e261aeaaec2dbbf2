import type { DocumentId, ServerToClient } from '@homeport/protocol';

/** A session's present socket, as the system sees it. */
export abstract class Channel {
  /** Sends to this channel alone. Never throws; a channel that is gone swallows it. */
  abstract send<Event extends keyof ServerToClient>(event: Event, payload: Parameters<ServerToClient[Event]>[0]): void;
  /** From now on, in this very tick, the fan-out of the document reaches this channel. */
  abstract join(document: DocumentId): void;
  /**
   * From when this resolves on, what is published of the document by its owner elsewhere reaches this channel. Rejects
   * with `BusFailed` where that can not be had in time; the channel has not joined then.
   */
  abstract joinRelayed(document: DocumentId): Promise<void>;
  /** Of both kinds. */
  abstract leave(document: DocumentId): void;
  /** Bytes that were handed over and that the peer has not taken yet. */
  abstract bufferedBytes(): number;
  /** Ends it. The peer is told `why` as far as the transport can. */
  abstract close(why: string): void;
}
