import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { refuse, type Epoch } from '@homeport/protocol';
import { until } from '@homeport/testkit';
import { FakeNode } from '../../test/fake-node.js';
import { nowMs } from '../history/operation.js';
import { Recorder } from '../history/recorder.js';
import { Crowd } from './crowd.js';
import type { Plan } from './messages.js';

function planOf(node: FakeNode, recorder: Recorder): Plan {
  return {
    ...{ scenario: 'boards', sizes: {}, index: 0, generators: 1, urls: [node.url], token: undefined, seed: 1 },
    ...{ ownsSystem: false, prefix: 'load-', rampMs: 0, patienceMs: 10_000, historyFile: recorder.path },
  };
}

it('a read over HTTP while no node is up is one without an answer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeport-crowd-'));
  const node = await FakeNode.start('alpha');
  const recorder = new Recorder(join(folder, 'history.jsonl'));
  const crowd = new Crowd(planOf(node, recorder), recorder, () => {});
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

it('nobody follows a node to another machine, unless that may be loaded too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeport-crowd-'));
  const node = await FakeNode.start('alpha');
  // A name that no machine has.
  node.onOpen = () => refuse.moved({ id: 'b.1', name: 'b', url: 'http://elsewhere.invalid' }, 5 as Epoch, 0);
  const recorder = new Recorder(join(folder, 'history.jsonl'));
  try {
    for (const ownsSystem of [false, true]) {
      const crowd = new Crowd({ ...planOf(node, recorder), ownsSystem }, recorder, () => {});
      const person = crowd.join('ada', ['board']);
      const opens = node.opens.length;
      // Where it may go on, it finds nobody there and comes back.
      await until(
        10_000,
        'the end or the second question',
        () => crowd.trouble !== undefined || node.opens.length > opens + 1,
      );
      if (ownsSystem) expect(crowd.trouble).toBeUndefined();
      else expect(crowd.trouble).toContain('http://elsewhere.invalid is not on this machine');
      person.close();
    }
  } finally {
    await recorder.close();
    await node.stop();
    await rm(folder, { recursive: true });
  }
});
