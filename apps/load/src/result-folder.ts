import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError } from './command.js';

/** Makes the folder of a run. Throws a `CommandError` if it can not be made, or holds what somebody may still want. */
export async function makeResultFolder(path: string): Promise<string> {
  const folder = resolve(path);
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new CommandError(`--out ${path} can not be made: ${error.message}`);
  });
  if ((await readdir(folder)).length > 0) throw new CommandError(`--out ${path} is not empty`);
  return folder;
}
