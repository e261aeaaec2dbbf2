import type { Fault } from '../stage.js';
import { hotDocument, none, slowReaders, sockets } from './clients.js';
import { largeDocument } from './large-document.js';
import { cutPostgres, cutRedis, postgresLong, postgresShort, redisRestart } from './links.js';
import { drain, hang, joinLeave, kill, rolling } from './processes.js';
import { postgresHang, redisHang, slowPostgres } from './slowness.js';

/** Every fault there is. */
export const FAULTS: readonly Fault[] = [
  none,
  kill,
  hang,
  cutPostgres,
  cutRedis,
  redisRestart,
  redisHang,
  postgresShort,
  postgresLong,
  postgresHang,
  slowPostgres,
  drain,
  rolling,
  joinLeave,
  sockets,
  slowReaders,
  hotDocument,
  largeDocument,
];
