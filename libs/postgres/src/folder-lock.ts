import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { StartRefused } from './start-refused.js';

/**
 * One server per data folder: a file with the process that has it. Node has no lock that ends with its process, so a
 * file that was left by a killed one is told by its process being gone, or its number being another's by now.
 *
 * Two servers that find a dead one's file in the same instant may both pass. The lease table, where the second finds
 * the first living, is what decides then; this file is for the plain word.
 */
export class FolderLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static take(path: string, folder: string): FolderLock {
    const holder = readHolder(path);
    if (holder !== undefined && isRunning(holder.pid) && startOf(holder.pid) === holder.start) {
      throw new StartRefused(
        `DATA_DIR ${folder} is in use by the server with process id ${holder.pid}: stop it, or choose another DATA_DIR`,
      );
    }
    rmSync(path, { force: true });
    writeFileSync(path, `${process.pid} ${startOf(process.pid)}\n`, { flag: 'wx', mode: 0o600 });
    return new FolderLock(path);
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // An orphan that has ended stays a zombie until process 1 asks for it: for seconds, or in some containers for ever.
  return statOf(pid)[0] !== 'Z';
}

function readHolder(path: string): { readonly pid: number; readonly start: string } | undefined {
  const text = readIfThere(path);
  const [pid, start] = text?.trim().split(' ') ?? [];
  return Number(pid) > 0 ? { pid: Number(pid), start: start ?? '' } : undefined;
}

/** When a process began, in ticks since the machine did; empty where the platform does not tell. */
function startOf(pid: number): string {
  return statOf(pid)[19] ?? '';
}

/** What Linux tells of a process, from its state on; nothing elsewhere. */
function statOf(pid: number): readonly string[] {
  const text = readIfThere(`/proc/${pid}/stat`);
  // The name of the program stands in brackets and may hold anything; what follows has no brackets.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
