import type { ClientToServer, NodeRef } from '@homeport/protocol';

/** One document's use of one channel, from its `hello` until the document leaves it: from then on no answer comes through. */
export interface Wire {
  readonly emit: <Event extends keyof ClientToServer>(event: Event, ...args: Parameters<ClientToServer[Event]>) => void;
  readonly user: string;
  readonly node: NodeRef;
  readonly pin: 'redirect' | 'relay';
}
