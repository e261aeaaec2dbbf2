import { io, type Socket } from 'socket.io-client';
import type { ClientToServer, ServerToClient } from '@homeport/protocol';
import type { Carry } from './carrier.js';

/** Socket.IO's own client: what anybody in any language has. */
export const bySocketIo: Carry = (target, auth, ear) => {
  const socket: Socket<ServerToClient, ClientToServer> = io(
    target.node === undefined ? target.url : `${target.url}?node=${target.node}`,
    { transports: ['websocket'], auth, forceNew: true, reconnection: false },
  );
  socket.onAny(() => ear.heard());
  socket.on('hello', (hello) => ear.hello(hello));
  socket.on('entries', (frame) => ear.entries(frame));
  socket.on('head', (beacon) => ear.head(beacon));
  socket.on('moved', (moved) => ear.moved(moved));
  socket.on('resume', (resume) => ear.resume(resume));
  socket.on('presence', (frame) => ear.presence(frame));
  socket.on('disconnect', () => ear.lost());
  socket.on('connect_error', (error: Error & { data?: { code?: string; message?: string } }) =>
    ear.refused(error.data ?? {}),
  );
  /** Socket.IO's client has no such thing; the `ws` that carries it has. */
  const webSocket = (): { pause(): void; resume(): void; close(): void } | undefined => {
    const { transport } = socket.io.engine as unknown as {
      transport: { ws?: { pause(): void; resume(): void; close(): void } };
    };
    return transport.ws;
  };
  return {
    send: (event, request, answered) => {
      const args = answered === undefined ? [request] : [request, answered];
      socket.emit(event, ...(args as unknown as Parameters<ClientToServer[typeof event]>));
    },
    close: () => void socket.disconnect(),
    break: () => webSocket()?.close(),
    pause: () => webSocket()?.pause(),
    resume: () => webSocket()?.resume(),
  };
};
