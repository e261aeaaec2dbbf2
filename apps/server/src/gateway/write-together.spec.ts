import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { io as dial, type Socket as ClientSocket } from 'socket.io-client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSocketServer, type HomeSocket, type HomeSocketServer } from './socket-server.js';
import { WriteTogether } from './write-together.js';

let http: Server;
let io: HomeSocketServer;
let client: ClientSocket;
let there: HomeSocket;

beforeEach(async () => {
  http = createServer();
  io = createSocketServer(new Set());
  io.attach(http);
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const joined = new Promise<HomeSocket>((resolve) => io.once('connection', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  client = dial(url, { transports: ['websocket'], reconnection: false });
  there = await joined;
  new WriteTogether().add(there);
});
afterEach(async () => {
  client.disconnect();
  await io.close();
});

function heard(count: number): Promise<number[]> {
  const seqs: number[] = [];
  return new Promise((resolve) =>
    client.on('head', ({ seq }: { seq: number }) => {
      if (seqs.push(seq) === count) resolve(seqs);
    }),
  );
}

function send(from: number, to: number): void {
  for (let seq = from; seq <= to; seq++) there.emit('head', { document: 'board', seq: seq as never });
}

it('what is sent in one turn leaves in one write, in order; what comes later follows', async () => {
  const raw = there.conn.request.socket as Socket & { _writev: () => void; _write: () => void };
  const [many, one] = [vi.spyOn(raw, '_writev'), vi.spyOn(raw, '_write')];
  const all = heard(10);
  send(1, 5);
  await Promise.resolve();
  send(6, 8);
  await new Promise((turn) => setImmediate(turn));
  await vi.waitFor(() => expect(there.conn.transport.writable).toBe(true));
  expect([many.mock.calls.length, one.mock.calls.length]).toEqual([1, 0]);
  send(9, 10);
  expect(await all).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it('what was sent before an end by the server still arrives', async () => {
  const all = heard(3);
  const ended = new Promise((resolve) => client.once('disconnect', resolve));
  send(1, 3);
  there.disconnect(true);
  expect(await all).toEqual([1, 2, 3]);
  await ended;
});
