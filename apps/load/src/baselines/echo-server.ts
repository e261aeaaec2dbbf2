/**
 * What nothing can beat on Socket.IO: a plain server, a process of its own, that stores nothing. It answers every push
 * at once, hands it to the others in the room, and answers reads from constants, with the same settings and messages of
 * the same size. It speaks just enough of the wire for the same generator to drive it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OpenRequest, PushRequest, ReadRequest } from '@homeport/protocol';
import { Server } from 'socket.io';
import { range } from '../measuring/range.js';
import { livesWithItsStarter } from './lives-with-its-starter.js';
import { SOCKET_SETTINGS } from './socket-settings.js';

const TIMELINE = '00000000-0000-4000-8000-000000000000.1';
const USER = 'guest';

const RECORD = { value: { x: 100, y: 100, text: 'x'.repeat(40) }, seq: 1_000 };
const ONE_RECORD = { 'shape:1': RECORD };
const ALL_RECORDS = Object.fromEntries(range(1_000).map((i) => [`shape:${i}`, RECORD]));
const ENTRY = {
  seq: 1_000,
  session: `compare-${TIMELINE}`,
  opNo: 1_000,
  user: USER,
  at: Date.now(),
  ops: [{ op: 'patch', key: 'shape:1', set: { x: 100 }, unset: [] }],
};
const MISSED = range(100).map(() => ENTRY);

const http = createServer();
const io = new Server(http, SOCKET_SETTINGS);

io.on('connection', (socket) => {
  const { session } = socket.handshake.auth as { session: string };
  let seq = 0;
  const position = () => ({ timeline: TIMELINE, seq });
  socket.on('open', ({ document, since }: OpenRequest, ack: (reply: object) => void) => {
    void socket.join(document);
    ack({ ok: true, position: position(), ...(since && { tail: MISSED }) });
  });
  socket.on('push', ({ document, opNo, ops }: PushRequest, ack: (reply: object) => void) => {
    seq++;
    ack({ ok: true, position: position() });
    // Alone in the room: Socket.IO would encode a frame for nobody.
    if ((io.sockets.adapter.rooms.get(document)?.size ?? 0) < 2) return;
    const entries = [{ seq, session, opNo, user: USER, at: Date.now(), ops }];
    socket.to(document).emit('entries', { document, from: seq, to: seq, entries });
  });
  socket.on('read', ({ keys }: ReadRequest, ack: (reply: object) => void) => {
    ack({ ok: true, position: position(), records: keys ? ONE_RECORD : ALL_RECORDS });
  });
});

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`ready at http://127.0.0.1:${(http.address() as AddressInfo).port}\n`);
});
livesWithItsStarter();
