import { Channel } from '@homeport/core';
import type { DocumentId, ServerToClient } from '@homeport/protocol';
import type { RecordingFanOut } from './recording-fan-out.js';

/** A message as a client receives it. */
export type Heard = {
  [Event in keyof ServerToClient]: { readonly event: Event; readonly payload: Parameters<ServerToClient[Event]>[0] };
}[keyof ServerToClient];

/**
 * A channel that keeps what it was sent, whether to it alone or through the fan-out, in one order. Messages pass
 * through JSON when they are sent, so a value that is changed in place afterwards does not change what was heard.
 */
export class RecordingChannel extends Channel {
  readonly heard: Heard[] = [];
  /** What the peer is said not to have taken yet. */
  backlogBytes = 0;
  /** Why the other side ended it; undefined while it is open. */
  closed: string | undefined;
  readonly #fanOut: RecordingFanOut;

  constructor(fanOut: RecordingFanOut) {
    super();
    this.#fanOut = fanOut;
  }

  send<Event extends keyof ServerToClient>(event: Event, payload: Parameters<ServerToClient[Event]>[0]): void {
    this.hear(JSON.parse(JSON.stringify({ event, payload })) as Heard);
  }

  join(document: DocumentId): void {
    if (this.closed === undefined) this.#fanOut.join(document, this);
  }

  async joinRelayed(document: DocumentId): Promise<void> {
    if (this.closed === undefined) this.#fanOut.joinRelayed(document, this);
  }

  leave(document: DocumentId): void {
    this.#fanOut.leave(document, this);
  }

  bufferedBytes(): number {
    return this.backlogBytes;
  }

  close(why: string): void {
    this.closed ??= why;
    this.#fanOut.leaveAll(this);
  }

  /** One message more, unless the channel is closed. */
  hear(message: Heard): void {
    if (this.closed === undefined) this.heard.push(message);
  }

  /** The payloads of one event, in order. */
  of<Event extends keyof ServerToClient>(event: Event): readonly Parameters<ServerToClient[Event]>[0][] {
    return this.heard.flatMap((message) =>
      message.event === event ? [message.payload as Parameters<ServerToClient[Event]>[0]] : [],
    );
  }
}
