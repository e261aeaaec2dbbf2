import { FanOut, type DocumentEvent } from '@homeport/core';
import type { DocumentId } from '@homeport/protocol';
import { behindIn } from './buffered-bytes.js';
import { JsonText } from './json-encoder.js';
import { relayRoomOf, roomOf } from './room.js';
import type { HomeSocketServer } from './socket-server.js';

/**
 * Hands a message to everyone in a document's room: it is text already, and Socket.IO makes one WebSocket frame of it.
 *
 * To the sockets of this node always with `io.local`: a plain `io.to` waits for Redis before it serves them. To those of
 * other nodes with `io.to`, one room and no `except` per emit: anything else the adapter would publish to every node.
 * Nobody waits for that, and what can not be published is lost: whoever misses it fetches it.
 *
 * Socket.IO's `volatile` is not used for presence: it drops whatever comes in the same tick as a frame, from readers that
 * are not behind at all.
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
    if (event === 'presence') here.except(behindIn(room, this.io.of('/'))).emit(event, payload);
    else here.emit(event, payload);
  }

  override publish(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    this.io.to(relayRoomOf(document)).emit(event, new JsonText(payloadText) as never);
  }

  override deliverRelayed(document: DocumentId, event: DocumentEvent, payloadText: string): void {
    this.io.local.to(relayRoomOf(document)).emit(event, new JsonText(payloadText) as never);
  }
}
