import { io } from 'socket.io-client';
import type { Dialer } from './dialer.js';

/** One Socket.IO socket per dial, WebSocket only, which never reconnects by itself: the connection decides that. */
export const socketIoDialer: Dialer = {
  dial(url, handshake, events) {
    const { origin, searchParams } = new URL(url);
    const socket = io(origin, {
      query: Object.fromEntries(searchParams),
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { ...handshake },
    });
    socket.onAny((event: string, payload: unknown) => events.message(event, payload));
    socket.on('connect_error', (error: Error & { data?: unknown }) => {
      if (error.data === undefined) events.lost();
      else events.refused(error.data);
    });
    socket.on('disconnect', () => events.lost());
    return {
      send(event, message) {
        if (socket.connected) socket.emit(event, message);
      },
      request(event, message, answer) {
        if (socket.connected) socket.emit(event, message, answer);
      },
      close() {
        socket.disconnect();
      },
    };
  },
};
