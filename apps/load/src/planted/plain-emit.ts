/**
 * A planted bug: sessions at the owner are served with a plain `io.to`, which waits for Redis before it serves them. While
 * Redis hangs they see nothing for seconds.
 */
import { JsonText } from '../../../server/src/gateway/json-encoder.js';
import { RoomFanOut } from '../../../server/src/gateway/room-fan-out.js';
import { roomOf } from '../../../server/src/gateway/room.js';
import type { HomeSocketServer } from '../../../server/src/gateway/socket-server.js';

RoomFanOut.prototype.deliver = function (this: RoomFanOut, document, event, payloadText) {
  const { io } = this as unknown as { readonly io: HomeSocketServer };
  io.to(roomOf(document)).emit(event, new JsonText(payloadText) as never);
};
