/**
 * What Homeport is compared with: a plain Socket.IO server, a process of its own, that stores nothing and answers every
 * push at once, with the same settings and answers of the same size. It speaks just enough of the wire for the same
 * generator to drive it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LIMITS, type OpenRequest, type PushRequest } from '@homeport/protocol';
import { Server } from 'socket.io';

const TIMELINE = '00000000-0000-4000-8000-000000000000.1';

const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  httpCompression: false,
  maxHttpBufferSize: LIMITS.messageBytes,
  pingInterval: 10_000,
  pingTimeout: 8_000,
});

io.on('connection', (socket) => {
  let seq = 0;
  const position = () => ({ timeline: TIMELINE, seq: ++seq });
  socket.on('open', (_: OpenRequest, ack: (reply: object) => void) => ack({ ok: true, position: position() }));
  socket.on('push', (_: PushRequest, ack: (reply: object) => void) => ack({ ok: true, position: position() }));
});

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`echo is ready at http://127.0.0.1:${(http.address() as AddressInfo).port}\n`);
});
// Whoever started it holds the other end of its input: it never outlives that process.
process.stdin.on('end', () => process.exit(0)).resume();
