/**
 * What a process has used, as Linux tells it: no endpoint of the server is needed, and its own accounting costs it
 * nothing. Elsewhere: undefined, and the report says so.
 */
import { readFileSync } from 'node:fs';

/** USER_HZ: the unit of CPU times in /proc, fixed in Linux's interface on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU that the process has used since its start, all its threads, user and system. */
export function cpuMs(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may hold anything; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}

/** Memory that the process has in use, shared parts of its program included. */
export function residentBytes(pid: number): number | undefined {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '');
  return match ? Number(match[1]) * 1_024 : undefined;
}

/** Memory that is the process's alone: what it shares with its siblings is left out. */
export function ownBytes(pid: number): number | undefined {
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '');
  return match ? Number(match[1]) * 1_024 : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
