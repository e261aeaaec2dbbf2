import type { ClientToServer } from '@homeport/protocol';

/** One channel, from its `hello` on. */
export interface Wire {
  readonly emit: <Event extends keyof ClientToServer>(event: Event, ...args: Parameters<ClientToServer[Event]>) => void;
  readonly user: string;
  readonly node: string;
}
