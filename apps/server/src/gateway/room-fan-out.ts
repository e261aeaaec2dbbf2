import { FanOut, type DocumentEvent } from '@homeport/core';
import type { DocumentId } from '@homeport/protocol';
import { JsonText } from './json-encoder.js';
import { roomOf } from './room.js';
import type { HomeSocketServer } from './socket-server.js';

/** A channel that is this far behind gets no presence until it has caught up. */
const PRESENCE_BEHIND_BYTES_MAX = 64 * 1024;

/**
 * Hands a message to everyone in a document's room: it is text already, and Socket.IO makes one WebSocket frame of it.
 *
 * Always `io.local`: a plain `io.to` waits for Redis before it serves the sockets of this node. Socket.IO's `volatile`
 * is not used for presence: it drops whatever comes in the same tick as a frame, from readers that are not behind at all.
 */
export class RoomFanOut extends FanOut {
  constructor(private readonly io: HomeSocketServer) {
    super();
  }

  override deliver(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    const room = roomOf(document);
    const here = this.io.local.to(room);
    // Socket.IO's types know the payload as an object; our encoder takes it as it is.
    const payload = new JsonText(payloadText) as never;
    if (event === 'presence') here.except(this.#behind(room)).emit(event, payload);
    else here.emit(event, payload);
  }

  #behind(room: string): string[] {
    const { adapter, sockets } = this.io.of('/');
    const behind: string[] = [];
    for (const id of adapter.rooms.get(room) ?? [])
      if ((sockets.get(id)?.data.channel?.bufferedBytes() ?? 0) > PRESENCE_BEHIND_BYTES_MAX) behind.push(id);
    return behind;
  }
}
