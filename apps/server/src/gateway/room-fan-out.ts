import { FanOut, type DocumentMessage } from '@homeport/core';
import type { DocumentId } from '@homeport/protocol';
import { roomOf } from './room.js';
import type { HomeSocketServer } from './socket-server.js';

/** A channel that is this far behind gets no presence until it has caught up. */
const PRESENCE_BEHIND_BYTES_MAX = 64 * 1024;

/**
 * Hands a message to everyone in a document's room: Socket.IO encodes it once, down to the WebSocket frame.
 *
 * Always `io.local`: a plain `io.to` waits for Redis before it serves the sockets of this node. Socket.IO's `volatile`
 * is not used for presence: it drops whatever comes in the same tick as a frame, from readers that are not behind at all.
 */
export class RoomFanOut extends FanOut {
  constructor(private readonly io: HomeSocketServer) {
    super();
  }

  override deliver(document: DocumentId, message: DocumentMessage): void {
    const room = roomOf(document);
    switch (message.event) {
      case 'entries':
        this.io.local.to(room).emit('entries', message.payload);
        return;
      case 'head':
        this.io.local.to(room).emit('head', message.payload);
        return;
      case 'presence':
        this.io.local.to(room).except(this.#behind(room)).emit('presence', message.payload);
    }
  }

  #behind(room: string): string[] {
    const { adapter, sockets } = this.io.of('/');
    const behind: string[] = [];
    for (const id of adapter.rooms.get(room) ?? [])
      if ((sockets.get(id)?.data.channel?.bufferedBytes() ?? 0) > PRESENCE_BEHIND_BYTES_MAX) behind.push(id);
    return behind;
  }
}
