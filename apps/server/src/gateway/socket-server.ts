import type { IncomingMessage } from 'node:http';
import type { Identity } from '@homeport/core';
import { LIMITS, type ClientToServer, type ServerToClient, type SessionId } from '@homeport/protocol';
import { Server, type DefaultEventsMap, type Socket } from 'socket.io';
import { Decoder } from 'socket.io-parser';
import { JsonEncoder } from './json-encoder.js';
import type { SocketChannel } from './socket-channel.js';

/** What the middleware found out about a socket before it was let in, and its channel from then on. */
export interface Admitted {
  identity: Identity;
  session: SessionId | undefined;
  channel?: SocketChannel;
}
export type HomeSocketServer = Server<ClientToServer, ServerToClient, DefaultEventsMap, Admitted>;
export type HomeSocket = Socket<ClientToServer, ServerToClient, DefaultEventsMap, Admitted>;

/** How many connections that have not yet said who they are, and for how long each. */
const HANDSHAKES = { pendingMax: 5_000, timeoutMs: 5_000 };

/**
 * Socket.IO as we run it. WebSocket only: long polling would need sticky requests, and Socket.IO's `cors` guards nothing
 * but polling. No compression: it costs memory for every socket, and the messages are small.
 */
export function createSocketServer(allowedOrigins: ReadonlySet<string>, handshakes = HANDSHAKES): HomeSocketServer {
  const io: HomeSocketServer = new Server({
    transports: ['websocket'],
    serveClient: false,
    parser: { Encoder: JsonEncoder, Decoder },
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: LIMITS.messageBytes,
    // A silent peer is found within 18 s; the defaults take 45 s.
    pingInterval: 10_000,
    pingTimeout: 8_000,
    connectTimeout: handshakes.timeoutMs,
    // Who sends no Origin is not a browser, and can not be led to us by a foreign page.
    allowRequest: (request: IncomingMessage, decide) => {
      const { origin } = request.headers;
      if (origin !== undefined && !allowedOrigins.has(origin)) return decide('this origin is not allowed', false);
      const pending = io.engine.clientsCount - io.of('/').sockets.size;
      if (pending >= handshakes.pendingMax) return decide('too many connections are waiting', false);
      decide(null, true);
    },
  });
  return io;
}
