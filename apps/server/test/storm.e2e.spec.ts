/** A server is killed under many clients, and all of them come back at once. */
import { createClient, type Client, type Dialer } from '@homeport/client';
import { ServerProcess, until } from '@homeport/testkit';
import { io } from 'socket.io-client';
import { afterEach, expect, it } from 'vitest';

const CLIENTS = 240;
const PER_SECOND = 60;
const LIMIT_MS = 90_000;

let server: ServerProcess | undefined;
const clients: Client[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server?.dispose();
});

it('E4: who comes back after a crash is let in at a bounded rate, everybody in the end, and the server answers meanwhile', async () => {
  server = await ServerProcess.start({ env: { LOG_LEVEL: 'warn', RATE_CONNECTIONS: String(PER_SECOND) } });
  const { url } = server;
  const admittedMs: number[] = [];
  const refused: unknown[] = [];
  // As many as that are let in at once, so they come in turns until all are there.
  const dialer = countingDialer(admittedMs, refused);
  const boards = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, n) => {
      const client = createClient({ url, dialer });
      clients.push(client);
      return client.open<Record<string, { n: number }>>(`board-${n % 20}`);
    }),
  );
  await Promise.all(boards.map((board, n) => board.put(`k${n}`, { n })));

  await server.kill();
  await until(LIMIT_MS, 'everybody to have noticed', () => boards.every(({ status }) => status.connection !== 'live'));
  const [before, refusedBefore] = [admittedMs.length, refused.length];
  // Written while nobody is there: each of them is in the log exactly once in the end.
  const written = boards.map((board, n) => board.put(`k${n}`, { n: n + 1 }));
  await server.restart();
  const asked: number[] = [];
  const answering = new AbortController();
  const health = (async () => {
    while (!answering.signal.aborted) asked.push((await fetch(`${url}/health/ready`)).status);
  })();
  await Promise.all(written);
  answering.abort();
  await health;

  const back = admittedMs.slice(before);
  expect(back.length).toBeGreaterThanOrEqual(CLIENTS);
  expect(refused.length).toBeGreaterThan(refusedBefore);
  // The rate allows a second's worth at once, and as much again in the second that follows.
  expect(mostWithin(1_000, back)).toBeLessThanOrEqual(2 * PER_SECOND);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((status) => status !== 200)).toEqual([]);
}, 180_000);

/** Plain sockets; notes when one was greeted, and what another was refused with. */
function countingDialer(admittedMs: number[], refused: unknown[]): Dialer {
  return {
    dial: (url, handshake, events) => {
      const socket = io(url, {
        transports: ['websocket'],
        reconnection: false,
        forceNew: true,
        auth: { ...handshake },
      });
      socket.onAny((event: string, payload: unknown) => {
        if (event === 'hello') admittedMs.push(performance.now());
        events.message(event, payload);
      });
      socket.on('connect_error', (error: Error & { data?: unknown }) => {
        if (error.data === undefined) return events.lost();
        refused.push(error.data);
        events.refused(error.data);
      });
      socket.on('disconnect', () => events.lost());
      return {
        send: (event, message) => void (socket.connected && socket.emit(event, message)),
        request: (event, message, answer) => void (socket.connected && socket.emit(event, message, answer)),
        close: () => void socket.disconnect(),
      };
    },
  };
}

/** The most of these moments that lie within any span of this length. */
function mostWithin(spanMs: number, momentsMs: readonly number[]): number {
  const sorted = [...momentsMs].sort((a, b) => a - b);
  let first = 0;
  return sorted.reduce((most, at, last) => {
    while (sorted[first]! <= at - spanMs) first++;
    return Math.max(most, last - first + 1);
  }, 0);
}
