import type { Fault } from '../stage.js';
import { hotDocument, none, slowReaders, sockets } from './clients.js';
import { cutPostgres, cutRedis, postgresLong, postgresShort, redisRestart } from './links.js';
import { drain, hang, joinLeave, kill, rolling } from './processes.js';

/** Every fault there is. */
export const FAULTS: readonly Fault[] = [
  none,
  kill,
  hang,
  cutPostgres,
  cutRedis,
  redisRestart,
  postgresShort,
  postgresLong,
  drain,
  rolling,
  joinLeave,
  sockets,
  slowReaders,
  hotDocument,
];
