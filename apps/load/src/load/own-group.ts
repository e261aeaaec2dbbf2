/**
 * Ctrl-C reaches every process of a terminal's foreground at once: the servers would end before the run could report. So
 * the run is done again in a process group of its own, and this process only hands on that it was interrupted.
 */
import { spawn } from 'node:child_process';

/** What a shell says of a process that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130;

const APART = 'HOMEPORT_LOAD_APART';

export async function inOwnGroup(task: () => Promise<number>): Promise<number> {
  if (process.env[APART] === 'yes') return task();
  const child = spawn(process.execPath, process.argv.slice(1), {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [APART]: 'yes' },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGINT'));
  return new Promise((ended) =>
    child.on('exit', (code, signal) => ended(code ?? (signal === 'SIGINT' ? EXIT_INTERRUPTED : 1))),
  );
}
