import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the Postgres of a data folder is reached: its postmaster wrote down the port (4th line) and the socket's folder (5th). */
export async function embeddedUrl(dataDir: string): Promise<string> {
  const lines = (await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
  const [port, socketFolder] = [lines[3]!.trim(), lines[4]!.trim()];
  return `postgres://homeport@localhost/postgres?host=${encodeURIComponent(socketFolder)}&port=${port}`;
}
