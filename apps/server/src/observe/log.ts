import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import type { LogLevel } from '../config.js';

/** The token of the log: a pino logger. */
export const LOG = Symbol('log');

/** One JSON line for each event, on stderr: stdout is for people. Never a payload, never a token. */
export function createLog(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (name) => ({ level: name }) },
    },
    // Not buffered: the last lines before an exit are the ones that are needed.
    pino.destination({ dest: 2, sync: true }),
  );
}

/** Nest's own lines in our log; what it tells about its modules is for debugging. */
export function nestLog(log: Logger): LoggerService {
  return {
    log: (message: unknown) => log.debug(String(message)),
    warn: (message: unknown) => log.warn(String(message)),
    error: (message: unknown) => log.error(message instanceof Error ? message : String(message)),
  };
}
