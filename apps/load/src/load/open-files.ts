import { readFileSync } from 'node:fs';
import { CommandError } from '../command.js';

/** What a process needs besides the sockets of its people. */
const SPARE = 200;

/** Throws a `CommandError` when no process of a run could do its work. */
export function assertFilesToStart(): void {
  const limit = openFilesLimit();
  if (limit !== undefined && limit < SPARE)
    throw new CommandError(
      `each process of a run needs ${SPARE} open files, and the limit is ${limit}: type \`ulimit -n ${SPARE}\` first`,
    );
}

/** Throws a `CommandError` when some process of the run would have to hold more files open than it may. */
export function assertFilesEnough(sessions: number, generators: number, isOwn: boolean): void {
  const limit = openFilesLimit();
  if (limit === undefined) return;
  // In the worst case one server has everybody.
  const needed = SPARE + (isOwn ? sessions : Math.ceil(sessions / generators));
  if (needed > limit)
    throw new CommandError(
      `${sessions} sockets need ${needed} open files in one process, and the limit is ${limit}: type \`ulimit -n ${needed}\` first` +
        (isOwn ? '' : ', or say --generators with a higher number'),
    );
}

/** Of this process and those that it starts; undefined where the system does not tell. */
function openFilesLimit(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
