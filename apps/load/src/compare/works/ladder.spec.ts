import { expect, it } from 'vitest';
import { FakeNode } from '../../../test/fake-node.js';
import { Turn } from '../turn.js';
import { ladder } from './ladder.js';

it('a server that is gone voids the turn, and is no board that was not borne', async () => {
  const node = await FakeNode.start('alpha');
  const { url } = node;
  await node.stop();
  const place = () => Promise.resolve({ url, how: { pin: 'redirect' as const } });
  const turn = new Turn(
    { name: 'echo', says: '', pids: [], frames: 'to-all', logUrl: undefined, place },
    true,
    'ladder',
  );
  await expect(ladder.play(turn)).rejects.toThrow();
  expect(turn.warnings).toEqual([expect.stringContaining('echo with 10 editors')]);
});
