/**
 * The obvious design, as a good engineer writes it: any number of these processes, none of which knows anything that
 * Postgres does not. A push is one statement (the document's counter, one INSERT, the state of the record), on a pool of
 * connections with prepared statements; after its commit it goes to the others in the room through Socket.IO's Redis
 * adapter. Reads, and what a client missed, are SELECTs.
 *
 * It promises less than Homeport does: a push that is sent again is done again, and what one session pushes without
 * waiting for the ack may be committed in another order, and frames may arrive in yet another.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { livesWithItsStarter } from '../lives-with-its-starter.js';
import { BoardGateway } from './board.gateway.js';
import { BoardTable } from './board-table.js';
import { RedisIoAdapter } from './redis-io-adapter.js';

@Module({
  providers: [
    BoardGateway,
    { provide: BoardTable, useFactory: () => BoardTable.open(setting('DATABASE_URL'), Number(setting('POOL'))) },
  ],
})
class StatelessModule {}

const app = await NestFactory.create(StatelessModule, { logger: ['error', 'warn'] });
app.useWebSocketAdapter(await RedisIoAdapter.connect(app, setting('REDIS_URL')));
await app.listen(0, '127.0.0.1');
process.stdout.write(`ready at ${(await app.getUrl()).replace('[::1]', '127.0.0.1')}\n`);
livesWithItsStarter();

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the stateless server needs ${name}`);
  return value;
}
