import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ServerProcess } from '@homeport/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const run = promisify(execFile);

const PROGRAM = `
import { createClient, HomeportError, type Board } from '@homeport/client';
const client = createClient({ url: process.argv[2]! });
const board: Board<{ clicks: { n: number } }> = await client.open('counters');
await board.put('clicks', { n: 0 });
const { position } = await board.increment('clicks', 'n', 2);
const refused = await board.put('clicks', { n: 9 }, { if: { absent: true } }).catch((error: HomeportError) => error.code);
console.log(JSON.stringify({ n: board.get('clicks')?.n, seq: position.seq, refused }));
client.close();
`;

describe('the packed client', () => {
  let folder: string;
  let server: ServerProcess;

  beforeAll(async () => {
    await run('npm', ['run', '--silent', 'pack:client'], { cwd: ROOT });
    folder = await mkdtemp(join(tmpdir(), 'homeport-pack-'));
    server = await ServerProcess.start();
  }, 120_000);

  afterAll(async () => {
    await server.dispose();
    await rm(folder, { recursive: true });
  });

  it('installs in an empty folder, type-checks and runs there', async () => {
    const packed = join(ROOT, 'dist/pack');
    const archive = (await readdir(packed)).find((name) => name.endsWith('.tgz'));
    await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
    await run('npm', ['install', '--no-audit', '--no-fund', join(packed, archive!)], { cwd: folder });
    await writeFile(join(folder, 'program.mts'), PROGRAM);
    const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--typeRoots'];
    const types = join(ROOT, 'node_modules/@types');
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, ...options, types, 'program.mts'], { cwd: folder });
    const { stdout } = await run(process.execPath, ['program.mjs', server.url], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual({ n: 2, seq: 2, refused: 'conflict' });
  }, 120_000);
});
