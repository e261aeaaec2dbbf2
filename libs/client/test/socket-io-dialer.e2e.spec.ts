import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { socketIoDialer } from '../src/socket-io-dialer.js';

let http: HttpServer;
let io: Server;
let url: string;

beforeEach(async () => {
  http = createServer();
  io = new Server(http, { transports: ['websocket'] });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(() => io.close());

/** What becomes of a dial: the first thing that is told. */
function dial(to: string): Promise<{ readonly event: string; readonly payload?: unknown }> {
  return new Promise((told) => {
    const socket = socketIoDialer.dial(
      to,
      { protocol: 1, session: 's', token: 't' },
      {
        message: (event, payload) => {
          told({ event, payload });
          socket.close();
        },
        refused: (payload) => told({ event: 'refused', payload }),
        lost: () => told({ event: 'lost' }),
      },
    );
  });
}

it('C11: carries the name of the node where a load balancer sees it, and who we are where only the node does', async () => {
  io.on('connection', ({ handshake }) => {
    io.emit('hello', { asked: handshake.query['node'] ?? null, path: handshake.url, auth: handshake.auth });
  });
  const { payload } = await dial(`${url}/?node=server-2`);
  expect(payload).toMatchObject({ asked: 'server-2', auth: { protocol: 1, session: 's', token: 't' } });
  expect((payload as { path: string }).path).toMatch(/^\/socket\.io\/\?.*\bnode=server-2\b/);
  expect((payload as { path: string }).path).not.toContain('token');
  expect((await dial(url)).payload).toMatchObject({ asked: null });
});

it('tells a refusal with what the server said, and a dial that failed', async () => {
  const refusal = { code: 'unavailable', message: 'full', retryAfterMs: 700 };
  io.use((_socket, next) => next(Object.assign(new Error('full'), { data: refusal })));
  expect(await dial(url)).toEqual({ event: 'refused', payload: refusal });
  await io.close();
  expect(await dial(url)).toEqual({ event: 'lost' });
});
