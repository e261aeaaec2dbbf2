import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandError } from './command.js';

/** Makes the folder of a run. Throws a `CommandError` if it can not be made, or holds what somebody may still want. */
export async function makeResultFolder(path: string): Promise<string> {
  const folder = resolve(path);
  const found = await make(folder).catch((error: Error) => {
    throw new CommandError(`--out ${path} can not be made: ${error.message}`);
  });
  if (found.length > 0) throw new CommandError(`--out ${path} is not empty`);
  return folder;
}

/** Answers what is in it. Not by Node's own recursion: below /proc, Node 20 was seen to try for ever. */
async function make(folder: string): Promise<readonly string[]> {
  if (existsSync(folder)) return readdir(folder);
  await make(dirname(folder));
  await mkdir(folder);
  return [];
}
