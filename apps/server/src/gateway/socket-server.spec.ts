import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from '@homeport/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createSocketServer, type HomeSocketServer } from './socket-server.js';

const PENDING_MAX = 2;
/** What a client says first, to Socket.IO. */
const CONNECT = '40{}';

let http: Server;
let io: HomeSocketServer;
const dialed: WebSocket[] = [];

beforeEach(async () => {
  http = createServer();
  io = createSocketServer(new Set(['https://own.example']), { pendingMax: PENDING_MAX, timeoutMs: 600_000 });
  io.attach(http);
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
});
afterEach(async () => {
  for (const socket of dialed.splice(0)) socket.terminate();
  await io.close();
});

/** Answers what a refusal says, or the open connection. */
function dial(origin?: string): Promise<WebSocket | string> {
  const { port } = http.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, origin === undefined ? {} : { origin });
  dialed.push(socket);
  return new Promise((answered, failed) => {
    socket.once('open', () => answered(socket));
    socket.once('unexpected-response', (_, response) => answered(text(response)));
    socket.once('error', failed);
  });
}

async function letIn(): Promise<WebSocket> {
  const answer = await dial();
  if (typeof answer === 'string') throw new Error(`refused: ${answer}`);
  return answer;
}

it('L4: bounds how many connections wait without saying who they are; those that say it, or go, make room', async () => {
  const [first, second] = [await letIn(), await letIn()];
  await until(10_000, 'both to wait', () => io.engine.clientsCount === PENDING_MAX);
  expect(await dial()).toBe('too many connections are waiting');

  first.send(CONNECT);
  await until(10_000, 'the first to be known', () => io.of('/').sockets.size === 1);
  const third = await letIn();
  expect(await dial()).toBe('too many connections are waiting');

  second.close();
  await until(10_000, 'the second to be gone', () => io.engine.clientsCount === PENDING_MAX);
  await letIn();
  expect(await dial()).toBe('too many connections are waiting');
  expect(first.readyState).toBe(WebSocket.OPEN);
  expect(third.readyState).toBe(WebSocket.OPEN);
});

it('L4: refuses a page of a foreign origin before it can say anything', async () => {
  for (const origin of ['https://evil.example', 'https://own.example.evil.example', 'null'])
    expect(await dial(origin)).toBe('this origin is not allowed');
  expect(io.engine.clientsCount).toBe(0);
  expect(typeof (await dial('https://own.example'))).toBe('object');
});
