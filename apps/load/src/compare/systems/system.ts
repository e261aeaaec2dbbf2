/** What takes part in a comparison: servers as processes of their own, all driven through the same sockets. */
import type { OpenRequest } from '@homeport/protocol';

/** In the order in which they play. */
export const SYSTEM_NAMES = ['echo', 'stateless', 'homeport', 'pinned', 'relayed'] as const;
export type SystemName = (typeof SYSTEM_NAMES)[number];

/** What a client of this system has to do with a document: where it goes, and what else it says when it opens it. */
export interface Place {
  readonly url: string;
  readonly how: Pick<OpenRequest, 'pin'>;
}

export interface System {
  readonly name: SystemName;
  readonly says: string;
  /** The server's processes, without Postgres and Redis. */
  readonly pids: readonly number[];
  /** Who gets a change: everybody on the document, in order; or everybody but who made it. */
  readonly frames: 'to-all' | 'to-others';
  /** Where its log is: what was acknowledged must stand there. Undefined: it makes no such promise. */
  readonly logUrl: string | undefined;
  place(document: string): Promise<Place>;
}

/** Processes that one or two systems are played on. */
export interface Servers {
  readonly systems: readonly System[];
  stop(): Promise<void>;
}
