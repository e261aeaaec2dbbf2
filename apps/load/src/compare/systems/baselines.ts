/** The two that Homeport is compared with: one that does nothing it could do without, and the obvious one. */
import { BaselineProcess } from '../../baselines/baseline-process.js';
import type { Servers } from './system.js';

/** Connections to Postgres of the stateless server. */
const POOL = 16;

export async function startEcho(): Promise<Servers> {
  const server = await BaselineProcess.start('echo');
  return playedOn(server, 'echo', 'plain Socket.IO, one process: answers and broadcasts, stores nothing');
}

export async function startStateless(databaseUrl: string, redisUrl: string): Promise<Servers> {
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, POOL: String(POOL) };
  const server = await BaselineProcess.start('stateless', env);
  const says = `NestJS, Socket.IO and its Redis adapter, an INSERT per op, reads from Postgres; one process, ${POOL} connections`;
  return playedOn(server, 'stateless', says);
}

function playedOn(server: BaselineProcess, name: 'echo' | 'stateless', says: string): Servers {
  const place = { url: server.url, how: {} };
  const system = { name, says, pids: [server.pid], frames: 'to-others', logUrl: undefined } as const;
  return { systems: [{ ...system, place: () => Promise.resolve(place) }], stop: () => server.stop() };
}
