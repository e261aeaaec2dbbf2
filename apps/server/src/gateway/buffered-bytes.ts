import type { HomeSocket, HomeSocketServer } from './socket-server.js';

/** A channel that is this far behind gets no presence until it has caught up. */
const PRESENCE_BEHIND_BYTES_MAX = 64 * 1024;

/**
 * Bytes that were given to a socket and that the kernel has not taken yet. A packet waits in Engine.IO while the
 * transport is busy, then goes to the WebSocket with all others that wait; `drain` comes when the last of them is taken.
 */
export class BufferedBytes {
  #waiting = 0;
  #sending = 0;

  constructor({ conn }: HomeSocket) {
    conn.on('packetCreate', ({ data }: { data?: string | Buffer }) => (this.#waiting += bytesOf(data)));
    conn.on('flush', () => {
      this.#sending += this.#waiting;
      this.#waiting = 0;
    });
    conn.transport.on('drain', () => (this.#sending = 0));
  }

  count(): number {
    return this.#waiting + this.#sending;
  }
}

/** The sockets of a room that get no presence at the moment. */
export function behindIn(room: string, { adapter, sockets }: ReturnType<HomeSocketServer['of']>): string[] {
  const isBehind = (id: string): boolean =>
    (sockets.get(id)?.data.channel?.bufferedBytes() ?? 0) > PRESENCE_BEHIND_BYTES_MAX;
  return [...(adapter.rooms.get(room) ?? [])].filter(isBehind);
}

function bytesOf(data: string | Buffer | undefined): number {
  return data === undefined ? 1 : Buffer.byteLength(data);
}
