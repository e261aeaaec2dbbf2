import type { HomeSocket } from './socket-server.js';

type Transport = HomeSocket['conn']['transport'];

/**
 * One system call for everything that is sent to a socket in one turn of the event loop: the acks of a flush, and the
 * frame that goes with them. Engine.IO would send the first packet at once and by itself, and the others when that one
 * has left. So a transport that could write is held from the first packet to the end of the turn, and what is then
 * waiting leaves as one.
 */
export class WriteTogether {
  #held: Transport[] = [];

  add({ conn }: HomeSocket): void {
    const { transport, request } = conn;
    conn.on('packetCreate', () => {
      if (!transport.writable) return;
      transport.writable = false;
      if (this.#held.push(transport) === 1) setImmediate(() => this.#release());
    });
    // Between the two Engine.IO hands the packets to `ws`, which writes each by itself.
    conn.on('flush', () => request.socket.cork());
    conn.on('drain', () => request.socket.uncork());
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const transport of held) {
      transport.writable = true;
      transport.emit('ready');
    }
  }
}
