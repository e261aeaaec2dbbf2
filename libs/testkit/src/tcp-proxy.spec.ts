import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from './server-process.js';
import { TcpProxy } from './tcp-proxy.js';

let echo: Server;
let proxy: TcpProxy;
const dialed: Socket[] = [];

beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket));
  await new Promise<void>((listening) => echo.listen(0, '127.0.0.1', listening));
  proxy = await TcpProxy.to((echo.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const socket of dialed.splice(0)) socket.destroy();
  await proxy.close();
  echo.close();
});

interface Dialed {
  readonly socket: Socket;
  readonly heard: () => string;
}

async function dial(): Promise<Dialed> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  dialed.push(socket);
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.on('error', () => {});
  await until(10_000, 'the connection, or its end', () => socket.readyState === 'open' || socket.closed);
  return { socket, heard: () => heard };
}

const hears = (what: string, { heard }: Dialed, text: string) => until(10_000, what, () => heard() === text);

it('passes everything on, in order, and the end of each direction', async () => {
  const ada = await dial();
  const ended = once(ada.socket, 'end');
  for (const letter of 'abcdef') ada.socket.write(letter);
  ada.socket.end('g');
  await ended;
  expect(ada.heard()).toBe('abcdefg');
});

it('delays, and keeps the order when the delay gets shorter', async () => {
  const ada = await dial();
  proxy.delayMs = 50;
  const from = performance.now();
  ada.socket.write('a');
  await until(10_000, 'the first to be on its way', () => performance.now() > from + 5);
  proxy.delayMs = 0;
  ada.socket.write('b');
  await hears('both', ada, 'ab');
  expect(performance.now() - from).toBeGreaterThan(45);
});

it('pauses, and lets what waited pass', async () => {
  const ada = await dial();
  proxy.pause();
  ada.socket.write('a');
  const bob = await dial();
  bob.socket.write('b');
  proxy.resume();
  await hears('what waited', ada, 'a');
  await hears('what waited', bob, 'b');
});

it('cuts: present connections are reset, and new ones, until it is mended', async () => {
  const ada = await dial();
  proxy.cut();
  await until(10_000, 'the reset', () => ada.socket.closed);
  const bob = await dial();
  await until(10_000, 'the reset', () => bob.socket.closed);
  proxy.mend();
  const cleo = await dial();
  cleo.socket.write('c');
  await hears('the echo', cleo, 'c');
  expect(proxy.accepted).toBe(3);
});

it('half open: the present connections are silent and look alive, new ones are good', async () => {
  const ada = await dial();
  proxy.silence();
  ada.socket.write('a');
  const bob = await dial();
  bob.socket.write('b');
  await hears('the echo', bob, 'b');
  expect([ada.heard(), ada.socket.closed]).toEqual(['', false]);
});
