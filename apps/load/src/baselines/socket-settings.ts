/** Socket.IO as Homeport runs it, so that what is compared differs in nothing but what it does. */
import { LIMITS } from '@homeport/protocol';
import type { ServerOptions } from 'socket.io';

export const SOCKET_SETTINGS: Partial<ServerOptions> = {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  httpCompression: false,
  maxHttpBufferSize: LIMITS.messageBytes,
  pingInterval: 10_000,
  pingTimeout: 8_000,
};
