import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '@homeport/testkit';
import { FakeNode } from '../../test/fake-node.js';
import { nowMs } from '../history/operation.js';
import type { FromGenerator, Plan, ToGenerator } from './messages.js';
import { statsOf } from './timeline.js';

const MAIN = 'dist/apps/load/src/load/generator.js';
const WITHIN_MS = 10_000;

let folder: string;
let node: FakeNode;
let generator: ChildProcess;
let heard: FromGenerator[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homeport-generator-'));
  node = await FakeNode.start('alpha');
  heard = [];
  generator = fork(MAIN, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  generator.on('message', (message: FromGenerator) => heard.push(message));
});

afterEach(async () => {
  generator.kill('SIGKILL');
  await node.stop();
  await rm(folder, { recursive: true, force: true });
});

function planFor(): Plan {
  return {
    ...{ scenario: 'hot-board', sizes: { people: 1, rate: 20, relayed: 0 }, index: 0, generators: 1, seed: 1 },
    ...{ urls: [node.url], token: undefined, ownsSystem: false, prefix: 'late-', rampMs: 0, patienceMs: 6 * WITHIN_MS },
    historyFile: join(folder, 'history.jsonl'),
  };
}

function tell(message: ToGenerator): void {
  generator.send(message);
}

function count(kind: FromGenerator['kind']): number {
  return heard.filter((message) => message.kind === kind).length;
}

async function hears(kind: FromGenerator['kind'], times = 1): Promise<void> {
  await until(WITHIN_MS, `${kind} from the generator`, () => count(kind) >= times);
}

it('what is answered last, after everybody stopped, is told before the generator has finished', async () => {
  tell({ kind: 'prepare', plan: planFor() });
  await hears('ready');
  let holds = true;
  node.onPush = ({ opNo }) => (holds ? undefined : node.pushed(opNo));
  const furnished = node.pushes.length;
  tell({ kind: 'go', startMs: nowMs() });
  await hears('second');
  // What was not answered so far comes again on the next socket, and is answered right after a second was told.
  holds = false;
  node.hangUp();
  tell({ kind: 'quiet' });
  await hears('settled');
  tell({ kind: 'finish', heads: null });
  await hears('finished');

  const written = new Set(node.pushes.slice(furnished).map(({ opNo }) => opNo)).size;
  const seconds = heard.flatMap((message) => (message.kind === 'second' ? message.counts : []));
  expect(written).toBeGreaterThan(0);
  expect(statsOf(seconds).find(({ kind }) => kind === 'push')).toMatchObject({ ok: written });
}, 20_000);

it('who was still joining when the run was cut off begins nothing new after all was quiet', async () => {
  node.onOpen = () => undefined;
  tell({ kind: 'prepare', plan: planFor() });
  await until(WITHIN_MS, 'somebody to ask for the board', () => node.opens.length > 0);
  tell({ kind: 'quiet' });
  await hears('settled');
  // It comes in now, and could write.
  node.onOpen = () => node.opened(1);
  node.hangUp();
  await until(WITHIN_MS, 'the board to be asked for again', () => node.opens.length > 1);
  await expect(until(500, 'a push', () => node.pushes.length > 0)).rejects.toThrow('a push');
  expect(count('ready')).toBe(0);
}, 20_000);
