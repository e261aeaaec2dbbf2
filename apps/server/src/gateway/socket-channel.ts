import { Channel } from '@homeport/core';
import type { DocumentId, ServerToClient } from '@homeport/protocol';
import { BufferedBytes } from './buffered-bytes.js';
import { relayRoomOf, roomOf } from './room.js';
import type { HomeSocket } from './socket-server.js';

/** A Socket.IO socket, as core sees it. */
export class SocketChannel extends Channel {
  readonly #buffered: BufferedBytes;

  constructor(private readonly socket: HomeSocket) {
    super();
    this.#buffered = new BufferedBytes(socket);
  }

  override send<Event extends keyof ServerToClient>(event: Event, payload: Parameters<ServerToClient[Event]>[0]): void {
    const args = [payload] as unknown as Parameters<ServerToClient[Event]>;
    this.socket.emit<keyof ServerToClient>(event, ...args);
  }

  override join(document: DocumentId): void {
    void this.socket.join(roomOf(document));
  }

  override async joinRelayed(document: DocumentId): Promise<void> {
    // A socket that is gone has left its rooms, and would never leave this one.
    if (!this.socket.connected) return;
    const room = relayRoomOf(document);
    try {
      await this.socket.join(room);
    } catch (error) {
      void this.socket.leave(room);
      throw error;
    }
  }

  override leave(document: DocumentId): void {
    void this.socket.leave(roomOf(document));
    void this.socket.leave(relayRoomOf(document));
  }

  override bufferedBytes(): number {
    return this.#buffered.count();
  }

  /** Socket.IO carries no reason. A closed connection makes a client come back by itself, a disconnect does not. */
  override close(why: string): void {
    if (why === 'moved' || why === 'unavailable') this.socket.conn.close();
    else this.socket.disconnect(true);
  }
}
