import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import type { Server, ServerOptions } from 'socket.io';
import { SOCKET_SETTINGS } from '../socket-settings.js';

/** Socket.IO whose rooms reach over all processes, as Nest's documentation shows it. */
export class RedisIoAdapter extends IoAdapter {
  private constructor(
    app: INestApplicationContext,
    private readonly publisher: Redis,
    private readonly subscriber: Redis,
  ) {
    super(app);
  }

  static async connect(app: INestApplicationContext, url: string): Promise<RedisIoAdapter> {
    const publisher = new Redis(url, { lazyConnect: true });
    const subscriber = publisher.duplicate();
    await Promise.all([publisher.connect(), subscriber.connect()]);
    return new RedisIoAdapter(app, publisher, subscriber);
  }

  override createIOServer(port: number, options?: object): Server {
    const io = super.createIOServer(port, { ...options, ...SOCKET_SETTINGS } as ServerOptions) as Server;
    return io.adapter(createAdapter(this.publisher, this.subscriber));
  }
}
