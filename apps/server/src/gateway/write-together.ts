import type { HomeSocket } from './socket-server.js';

/**
 * One system call for everything that is sent to a socket in one turn of the event loop: the acks of a flush, and the
 * frame that goes with them. `ws` writes each message by itself otherwise. What is held leaves at the end of the turn.
 */
export function writeTogether({ conn }: HomeSocket): void {
  const { socket } = conn.request;
  let isHeld = false;
  conn.on('flush', () => {
    if (isHeld) return;
    isHeld = true;
    socket.cork();
    setImmediate(() => {
      isHeld = false;
      socket.uncork();
    });
  });
}
