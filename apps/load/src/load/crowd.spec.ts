import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FakeNode } from '../../test/fake-node.js';
import { nowMs } from '../history/operation.js';
import { Recorder } from '../history/recorder.js';
import { Crowd } from './crowd.js';

it('a read over HTTP while no node is up is one without an answer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeport-crowd-'));
  const node = await FakeNode.start('alpha');
  const recorder = new Recorder(join(folder, 'history.jsonl'));
  const crowd = new Crowd(
    {
      ...{ scenario: 'boards', sizes: {}, index: 0, generators: 1, urls: [node.url], token: undefined, seed: 1 },
      ...{ prefix: 'load-', rampMs: 0, patienceMs: 10_000, historyFile: recorder.path },
    },
    recorder,
    () => {},
  );
  const person = crowd.join('ada', ['board']);
  try {
    expect(crowd.nodeUrl(node.url)).toBe(node.url);
    crowd.urls = ['http://alpha', 'http://beta'];
    expect(crowd.nodeUrl('http://alpha')).toBe('http://beta');

    crowd.urls = [];
    expect(crowd.nodeUrl('http://alpha')).toBeUndefined();
    expect(await crowd.readOverHttp(person.documents[0]!, nowMs(), 'http read')).toBeUndefined();
    expect(crowd.tally.take()).toMatchObject([{ kind: 'http read', ok: 0, unknown: 1 }]);
  } finally {
    person.close();
    await recorder.close();
    await node.stop();
    await rm(folder, { recursive: true });
  }
});
