import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Seq } from '@homeport/protocol';
import type { LogRow } from '../history/final-log.js';
import type { Generators } from './generators.js';
import { judge } from './judge.js';
import type { RunVerdict } from './run-result.js';
import type { System } from './system.js';

let folder: string;
let node: Server;
let asked: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeport-judge-'));
  asked = [];
  node = createServer((request, response) => {
    asked.push(request.url!.split('/').at(-1)!);
    response.end(JSON.stringify({ ok: true, position: { timeline: 't', seq: 0 }, records: {} }));
  });
  await new Promise<void>((listening) => node.listen(0, '127.0.0.1', listening));
});

afterEach(async () => {
  node.closeAllConnections();
  await new Promise((closed) => node.close(closed));
  await rm(folder, { recursive: true });
});

/** Of people who opened so many documents, and wrote nothing. */
function judged(documents: number, finalLog: () => Promise<readonly LogRow[]>): Promise<RunVerdict> {
  const opened = Array.from({ length: documents }, (_, i) => `d${i}`);
  const generators: Pick<Generators, 'quiet' | 'finish'> = {
    quiet: () => Promise.resolve([{ kind: 'settled', documents: opened, missing: undefined }]),
    finish: () => Promise.resolve([{ kind: 'finished', missing: undefined }]),
  };
  const system: Pick<System, 'urls' | 'spans' | 'unseen' | 'finalLog'> = {
    urls: [`http://127.0.0.1:${(node.address() as AddressInfo).port}`],
    spans: () => Promise.resolve([]),
    unseen: ['rule 8: nobody can ask'],
    finalLog,
  };
  return judge({
    ...{ system: system as System, generators: generators as Generators, token: undefined, historyFolder: folder },
    ...{
      logFile: join(folder, 'log.jsonl'),
      faults: [],
      violations: [{ rule: 5, document: 'd0', says: 'went back' }],
      failures: [],
    },
  });
}

it('a run whose log was not read was not checked, and says so', async () => {
  const { ok, says } = await judged(1, () => Promise.reject(new Error('no answer')));
  expect(ok).toBe(false);
  expect(says).toEqual([
    'the log was not read: nothing was checked',
    'seen on the way: d0: went back',
    'not checked, rule 8: nobody can ask',
    'FAILED: the log could not be read: no answer',
  ]);
});

it('keeps the log where a promise was broken', async () => {
  const row: LogRow = { document: 'd0', seq: 1 as Seq, toSeq: 1 as Seq, epoch: 1, entries: [] };
  expect((await judged(1, () => Promise.resolve([row]))).ok).toBe(false);
  expect(await readFile(join(folder, 'log.jsonl'), 'utf8')).toBe(`${JSON.stringify(row)}\n`);
});

it('of very many documents some from all over are read at every node, and the verdict says how many were not', async () => {
  const { says } = await judged(750, () => Promise.resolve([]));
  expect(says).toContain('not checked, the end of 450 of 750 documents at every node: 300 were read');
  expect(new Set(asked).size).toBe(300);
  expect(asked.slice(0, 3)).toEqual(['d0', 'd2', 'd5']);
  expect(asked.at(-1)).toBe('d747');
});

it('a run in which nobody wrote failed, and broke no promise by that', async () => {
  const { ok, says, violations } = await judged(1, () => Promise.resolve([]));
  expect(ok).toBe(false);
  expect(violations.map(({ rule }) => rule)).toEqual([5]);
  expect(says.at(-1)).toMatch(/^FAILED: nothing was checked/);
});

it('where all were read, nothing is left to say', async () => {
  const { says } = await judged(3, () => Promise.resolve([]));
  expect(asked).toEqual(['d0', 'd1', 'd2']);
  expect(says.join('\n')).not.toContain('the end of');
});
