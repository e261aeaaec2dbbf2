/**
 * What relayed sessions see when the bus was away, on a clock on which every millisecond counts; and what a relay costs the
 * lease table when everybody asks at once.
 */
import { ClusterSimulation, LeasesThrough, put, type SimNode } from '@homeport/testkit';
import type { ServerToClient } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { slotOf } from '../document/slot.js';

const BOARD = 'board-1';
/** After so many ms without the bus, at different times of the second in which heads are asked for anyway. */
const AWAY_MS = [5_000, 5_200, 5_400, 5_600, 5_800];

const ASKERS = 300;

class Counted extends LeasesThrough {
  reads = 0;

  override slots(known: readonly number[]) {
    this.reads++;
    return super.slots(known);
  }
}

describe('Relay', () => {
  it('D2: as soon as the bus is back, who is relayed hears what the head is', async () => {
    const { run, owner, relayed, push } = await start();
    for (const awayMs of AWAY_MS) {
      run.exchange.stop();
      const seq = await push(owner);
      await run.world.advance(awayMs);
      expect(relayed.head).toBeLessThan(seq);
      run.exchange.start();
      const backMs = run.world.monotonicMs();
      await run.world.until('the beacon', () => relayed.head >= seq, 2_000);
      expect(run.world.monotonicMs() - backMs).toBeLessThan(100);
    }
  });

  it('D2: a relayed push that found the bus away is to come again soon', async () => {
    const { run, relayed, ask } = await start();
    run.exchange.stop();
    const reply = await ask(relayed, 'push', { document: BOARD, opNo: 1, after: 0, ops: [put('a', 1)] });
    expect(reply).toMatchObject({ code: 'unavailable', retryAfterMs: 250 });
  });

  it('E2: many who learn of a move at once share a read of the map, and all are answered', async () => {
    const tables: Counted[] = [];
    const run = new ClusterSimulation(3, {
      leases: (leases, database) => {
        const counted = new Counted(leases, database);
        tables.push(counted);
        return counted;
      },
    });
    for (const name of ['a', 'b', 'c']) run.boot(name);
    await run.world.until('owners', () => run.isOwned);
    await run.world.advance(5_000);
    const slot = slotOf(BOARD);
    const owner = run.nodes.find(({ node }) => node.me.id === run.database.slots[slot]!.owner)!;
    const [relay, heir] = run.nodes.filter((node) => node !== owner);
    const counted = tables[run.nodes.indexOf(relay!)]!;
    // The relay hears of the move from who answers it, and from nobody else.
    run.exchange.part(relay!.node.me.id, heir!.node.me.id);
    void owner.node.drain();
    await run.world.until('the move', () => run.database.slots[slot]!.owner !== owner.node.me.id);
    run.exchange.joinAll();
    const before = counted.reads;
    let answers = 0;
    for (let n = 0; n < ASKERS; n++)
      void relay!.node.directory
        .open(BOARD, 'relay')
        .read({ document: BOARD })
        .then(() => answers++);
    await run.world.until('all answers', () => answers === ASKERS);
    expect(counted.reads - before).toBeGreaterThan(0);
    expect(counted.reads - before).toBeLessThan(10);
  });
});

async function start() {
  const run = new ClusterSimulation(12, {});
  for (const name of ['a', 'b']) run.boot(name);
  const ownerId = (): string => run.database.slots[slotOf(BOARD)]!.owner!;
  await run.world.until('fair shares', () => {
    const count = run.database.slots.filter(({ owner }) => owner === 'a.1').length;
    return run.isOwned && count === run.database.slots.length / 2;
  });
  const home = run.nodes.find(({ node }) => node.me.id === ownerId())!;
  const [owner, relayed] = [
    talk(home, 'owner'),
    talk(
      run.nodes.find((node) => node !== home)!,
      'relayed',
    ),
  ];
  let opNo = 0;
  const ask = async (who: Talk, event: string, payload: object) => {
    let reply: { readonly ok: boolean; readonly position: { readonly seq: number } } | undefined;
    who.line.ask(event, payload, (answer: NonNullable<typeof reply>) => (reply = answer));
    await run.world.until(`the answer to ${event}`, () => reply !== undefined);
    return reply!;
  };
  const push = async (who: Talk): Promise<number> => {
    const pushed = { document: BOARD, opNo: ++opNo, after: opNo - 1, ops: [put('a', opNo)] };
    return (await ask(who, 'push', pushed)).position.seq;
  };
  expect(await ask(owner, 'open', { document: BOARD })).toMatchObject({ relayed: false });
  expect(await ask(relayed, 'open', { document: BOARD, pin: 'relay' })).toMatchObject({ relayed: true });
  return { run, owner, relayed, ask, push };
}

type Talk = ReturnType<typeof talk>;

/** A client that keeps the highest head that it was told. */
function talk(node: SimNode, session: string) {
  const heard = { head: 0 };
  const peer = {
    hear: (event: keyof ServerToClient, payload: never) => {
      if (event === 'head') heard.head = Math.max(heard.head, (payload as { seq: number }).seq);
    },
    heardAnswer: () => {},
    ended: () => {},
  };
  const line = node.connect(peer, session);
  return {
    line,
    get head() {
      return heard.head;
    },
  };
}
