import { ClusterSimulation, RecordingChannel, RecordingFanOut } from '@homeport/testkit';
import { describe, expect, it } from 'vitest';
import { slotOf } from '../document/slot.js';
import { Identity } from '../session/access.js';

const BOARD = 'board-1';
/** Longer than a document stays in memory that nobody uses. */
const IDLE_MS = 200_000;

describe('RelayedDocument', () => {
  it.each([
    ['in the tick in which it was opened', 'at once'],
    ['when it is open', 'later'],
  ])('a document that is closed %s has no reader any more', async (_, when) => {
    const run = new ClusterSimulation(3, {});
    for (const name of ['a', 'b']) run.boot(name);
    await run.world.until('owners', () => run.isOwned);
    await run.world.advance(5_000);
    const owner = run.nodes.find(({ node }) => node.me.id === run.database.slots[slotOf(BOARD)]!.owner)!.node;
    const identity = new Identity('ada', { '*': 'write' }, null);
    const session = owner.connect(new RecordingChannel(new RecordingFanOut()), identity, 'session-1');
    // Once it is in memory it is opened within the tick.
    await run.world.outcome('a read', session.receive('read', { document: BOARD })!);
    const opened = session.receive('open', { document: BOARD })!;
    if (when === 'later') await run.world.outcome('the open', opened);
    const closed = session.receive('close', { document: BOARD })!;
    await run.world.outcome('the open', opened);
    await run.world.outcome('the close', closed);
    await run.world.advance(IDLE_MS);
    expect(owner.stats().documents).toBe(0);
  });
});
