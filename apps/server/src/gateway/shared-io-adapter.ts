import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { HomeSocketServer } from './socket-server.js';

/** Nest would make a Socket.IO server of its own: this gives it ours, which the fan-out already holds. */
export class SharedIoAdapter extends IoAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly io: HomeSocketServer,
  ) {
    super(app);
  }

  override createIOServer(): HomeSocketServer {
    return this.io.attach(this.httpServer);
  }
}
