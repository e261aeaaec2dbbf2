/** What carries a link's messages: Socket.IO's own client, or the light one of the load runs. */
import type { ClientToServer, EntriesFrame, HeadBeacon, Hello, Moved, PresenceFrame, Resume } from '@homeport/protocol';
import type { Target } from './route.js';

export type Event = keyof ClientToServer;

export interface Carrier {
  /** `answered`: for the events that have an acknowledgement. */
  send(event: Event, request: object, answered?: (reply: never) => void): void;
  /** Ends it; nothing more is told. */
  close(): void;
  /** Breaks the connection under it, as a bad network does. */
  break(): void;
  /** Takes nothing from the network any more, until `resume`. */
  pause(): void;
  resume(): void;
}

/** Who hears what a carrier brings. */
export interface Ear {
  /** Anything came. */
  heard(): void;
  hello(hello: Hello): void;
  entries(frame: EntriesFrame): void;
  head(beacon: HeadBeacon): void;
  moved(moved: Moved): void;
  resume(resume: Resume): void;
  presence(frame: PresenceFrame): void;
  /** The connection is gone, or never came to be. */
  lost(): void;
  /** The server did not let it in. */
  refused(why: { readonly code?: string; readonly message?: string }): void;
}

export type Carry = (target: Target, auth: object, ear: Ear) => Carrier;
