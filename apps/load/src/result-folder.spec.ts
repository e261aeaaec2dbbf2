import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { makeResultFolder } from './result-folder.js';

it('a run has a folder to itself, or one line that says why not', async () => {
  const above = await mkdtemp(join(tmpdir(), 'homeport-out-'));
  try {
    const folder = join(above, 'new', 'run');
    expect(await makeResultFolder(folder)).toBe(folder);
    expect(await makeResultFolder(folder)).toBe(folder);
    await writeFile(join(folder, 'history.jsonl'), 'of another run');
    await expect(makeResultFolder(folder)).rejects.toThrow(`--out ${folder} is not empty`);
    const inFile = join(folder, 'history.jsonl', 'run');
    for (const impossible of [inFile, dirname(inFile), '/proc/none/of/it'])
      await expect(makeResultFolder(impossible)).rejects.toThrow(`--out ${impossible} can not be made: E`);
  } finally {
    await rm(above, { recursive: true });
  }
});
