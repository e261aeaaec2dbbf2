import { refuse, type Epoch } from '@homeport/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { Rig } from '../test/rig.js';
import type { Board } from './board.js';
import type { Client } from './client.js';
import { IDLE_MS } from './connections.js';
import { DIRECT_AGAIN_MS } from './pin.js';
import type { BoardStatus } from './status.js';

/** Of the three nodes, `a` owns documents whose name has 3 letters, `b` those with 4, `c` those with 5. */
const NODES = ['a', 'b', 'c'];

/** Everything that a board was said to be, without repetitions. */
function told(board: Board): string[] {
  const seen: string[] = [];
  board.subscribeStatus(({ connection, node, relayed }: BoardStatus) => {
    const now = `${connection} ${node?.name}${relayed ? ' relayed' : ''}`;
    if (seen.at(-1) !== now) seen.push(now);
  });
  return seen;
}

describe('a document of another node', () => {
  let rig: Rig;
  let client: Client;

  beforeEach(() => {
    rig = new Rig(NODES);
    client = rig.client();
  });

  const sockets = (): string[] => [...rig.net.links].map(({ node }) => node!.name).sort();
  const sessionsAt = (name: string): string[] => [...rig.server.node(name).members.values()].map((at) => at.session);

  it('C13: goes at once when who served it on until its time came can do so no longer', async () => {
    const board = await rig.open(client, 'four');
    rig.server.move('four', 'c', true, () => 6_000);
    await rig.clock.advance(100);
    // What the old owner is asked from now on it answers `moved`.
    for (const { open } of rig.server.node('b').members.values()) open.delete('four');
    const fromMs = rig.clock.monotonicMs();
    void board.put('k', { n: 1 });
    await rig.until('it to be saved', () => board.status.pending === 0);
    expect(board.status.node?.name).toBe('c');
    expect(rig.clock.monotonicMs() - fromMs).toBeLessThan(1_500);
  });

  it('C11: is opened there, by an address that a load balancer can route', async () => {
    const board = await rig.open(client, 'four');
    expect(board.status).toMatchObject({ connection: 'live', relayed: false, node: { name: 'b' } });
    expect(rig.net.dialed.map(({ url }) => url)).toEqual(['http://a', 'http://b/?node=b']);
    void board.put('k', 1);
    await rig.until('saved', () => board.status.pending === 0);
  });

  it('C11: shares the socket of its owner with others, and lets those go that nobody needs', async () => {
    const boards = [await rig.open(client, 'four'), await rig.open(client, 'FOUR'), await rig.open(client, 'five5')];
    expect(boards.map(({ status }) => status.node?.name)).toEqual(['b', 'b', 'c']);
    expect(sockets()).toEqual(['a', 'b', 'c']);
    expect(new Set(NODES.flatMap(sessionsAt)).size).toBe(1);
    await rig.clock.advance(IDLE_MS + 100);
    expect(sockets()).toEqual(['b', 'c']);
    boards[2]!.close();
    await rig.clock.advance(IDLE_MS + 100);
    expect(sockets()).toEqual(['b']);
    boards[0]!.close();
    boards[1]!.close();
    await rig.clock.advance(60_000);
    // The last one stays: the client is open.
    expect([sockets(), client.status.connection]).toEqual([['b'], 'live']);
  });

  it('C11: keeps one of two sockets that turn out to lead to one node', async () => {
    rig.server.balanced = true;
    const away = rig.client('bob', { url: 'http://balancer' });
    const board = await rig.open(away, 'four');
    rig.net.misrouted = true;
    for (let i = 0; i < 10; i++) {
      for (const link of rig.net.links) link.cut();
      await rig.until('live', () => board.status.connection === 'live');
      await rig.clock.advance(IDLE_MS + 1_000);
      for (const name of NODES) expect(sessionsAt(name).length).toBe(new Set(sessionsAt(name)).size);
      expect(board.status.connection).toBe('live');
    }
  });

  it('C13: stays live while the old owner serves on, and goes when the time has come', async () => {
    const board = await rig.open(client, 'four');
    void board.put('k', 0);
    await rig.until('saved', () => board.status.pending === 0);
    const [dials, seen] = [rig.net.dials, told(board)];
    rig.server.move('four', 'c', true, () => 400);
    await rig.clock.advance(390);
    expect(rig.net.dials).toBe(dials);
    void board.put('k', 1);
    await rig.until('saved by the old owner', () => board.status.pending === 0);
    expect(board.status.node?.name).toBe('b');
    await rig.until('there', () => board.status.node?.name === 'c' && board.status.connection === 'live');
    expect(seen.filter((now) => now !== 'connecting c')).toEqual(['live b', 'connecting b', 'live c']);
    await rig.clock.advance(1_000);
    // Left for good: the old owner sends nothing any more.
    expect([...rig.server.node('b').members.values()].flatMap(({ open }) => [...open.keys()])).toEqual([]);
  });

  it('C13 W5: sends again under the same numbers what the old owner did not answer', async () => {
    const board = await rig.open(client, 'four');
    rig.server.storage = 'away';
    const shown: unknown[] = [];
    board.subscribe(() => shown.push(board.get('n')));
    void board.push((tx) => tx.put('n', { x: 0 }));
    for (let i = 0; i < 5; i++) void board.push((tx) => tx.increment('n', 'x', 1));
    await rig.clock.advance(100);
    rig.server.kill('b', 200);
    rig.server.storage = 'up';
    await rig.until('saved', () => board.status.pending === 0);
    expect(board.get('n')).toEqual({ x: 5 });
    expect(rig.server.document('four').log.map(({ opNo }) => opNo)).toEqual([1, 2, 3, 4, 5, 6]);
    // What is shown only ever grew: nothing flickered.
    expect(shown).toEqual([0, 1, 2, 3, 4, 5].map((x) => ({ x })));
  });

  it('C12: asks again, slowly, where two nodes name each other', async () => {
    const board = await rig.open(client, 'four');
    await rig.clock.advance(IDLE_MS * 2);
    const stale = (name: string, other: string, epoch: number): void => {
      const node = rig.server.node(name);
      node.receive = (_end, event, _message, answer) => {
        if (event === 'open') opens++;
        answer(refuse.moved(rig.server.node(other).ref, epoch as Epoch, 0));
      };
    };
    let opens = 0;
    stale('b', 'c', 2);
    stale('c', 'b', 1);
    void board.put('k', 1);
    await rig.clock.advance(10_000);
    expect(opens).toBeGreaterThan(3);
    expect(opens).toBeLessThan(25);
    expect(board.status.connection).toBe('connecting');
  });

  it('C11: is relayed where no way leads to its owner, and goes there when one does', async () => {
    rig.net.wall('b', true);
    const board = await rig.open(client, 'four');
    expect(board.status).toMatchObject({ connection: 'live', relayed: true, node: { name: 'b' } });
    void board.put('k', 1);
    await rig.until('saved', () => board.status.pending === 0);
    const dials = rig.net.dials;
    await rig.clock.advance(DIRECT_AGAIN_MS / 2);
    expect(rig.net.dials).toBe(dials);
    rig.net.walled.clear();
    await rig.until('direct', () => !board.status.relayed && board.status.connection === 'live');
    expect(board.status.node?.name).toBe('b');
  });

  it('C11: tries the direct way again when it is moved, and is served on meanwhile', async () => {
    rig.net.wall('b', true);
    const board = await rig.open(client, 'four');
    expect(board.status.relayed).toBe(true);
    const seen = told(board);
    const { owner, epoch } = ((): { owner: object; epoch: number } => {
      rig.server.move('four', 'c');
      return rig.server.home('four');
    })();
    rig.server.tell('four', 'moved', { document: 'four', owner, epoch, afterMs: 0 });
    await rig.until('direct', () => board.status.node?.name === 'c' && board.status.connection === 'live');
    expect(seen.filter((now) => now !== 'connecting c')).toEqual(['connecting b relayed', 'live c']);
  });

  it('C11: is followed to another address of its owner', async () => {
    rig.net.aliases.set('old', 'b');
    const other = rig.client('bob', { url: 'http://old' });
    const boards = [await rig.open(other, 'four'), await rig.open(other, 'five5')];
    await rig.clock.advance(60_000);
    expect(rig.net.dialed.filter(({ url }) => url.startsWith('http://b')).length).toBe(0);
    rig.net.aliases.delete('old');
    for (const link of rig.net.links) if (link.node?.name === 'b') link.cut();
    await rig.until('away', () => boards[0]!.status.connection === 'connecting');
    await rig.until('live', () => boards[0]!.status.connection === 'live', 3_000);
    expect(boards[0]!.status).toMatchObject({ relayed: false, node: { name: 'b' } });
  });

  it('C11: is relayed behind a load balancer that does not route', async () => {
    rig.server.balanced = true;
    rig.net.misrouted = true;
    const away = rig.client('bob', { url: 'http://balancer' });
    const board = await rig.open(away, 'four');
    void board.put('k', 1);
    await rig.until('saved', () => board.status.pending === 0);
    rig.net.misrouted = false;
    await rig.until('direct', () => !board.status.relayed, 10 * DIRECT_AGAIN_MS);
    expect(board.status.node?.name).toBe('b');
  });
});

describe('an owner that dies', () => {
  /** Virtual ms from the death to the next acknowledgement, for many runs. */
  async function gaps(url: string[] | string, takeoverMs: number): Promise<number[]> {
    const took: number[] = [];
    for (let run = 0; run < 25; run++) {
      const rig = new Rig(NODES);
      for (let i = 0; i < run; i++) rig.random.next();
      const client = rig.client('ada', { url });
      const board = await rig.open(client, 'four');
      await rig.clock.advance(60_000);
      rig.server.kill('b', takeoverMs);
      const diedMs = rig.clock.monotonicMs();
      void board.put('k', run);
      await rig.until('saved', () => board.status.pending === 0);
      took.push(rig.clock.monotonicMs() - diedMs);
      client.close();
    }
    return took.sort((a, b) => a - b);
  }

  it('C15: is followed by its heir soon, whichever way the client came', async () => {
    for (const url of ['http://a', 'http://b', 'http://c', ['http://b', 'http://c', 'http://a']]) {
      // With one address, that of the dead, there is nobody else to ask.
      if (url === 'http://b') continue;
      const took = await gaps(url, 100);
      expect([took[12]! < 400, took.at(-1)! < 1_000], `${String(url)}: ${took.map(Math.round).join(' ')}`).toEqual([
        true,
        true,
      ]);
    }
  });

  it('C15: is not waited for when it hangs', async () => {
    const rig = new Rig(NODES);
    const board = await rig.open(rig.client(), 'four');
    await rig.clock.advance(60_000);
    rig.server.hang('b', 2_500);
    for (const link of rig.net.links) if (link.node?.name === 'b') link.goDumb();
    void board.put('k', 1);
    const hungMs = rig.clock.monotonicMs();
    await rig.until('saved', () => board.status.pending === 0);
    expect(rig.clock.monotonicMs() - hungMs).toBeLessThan(5_000);
  });

  it('C15: is doubted when it only ever asks for time, and does not know its heir', async () => {
    const rig = new Rig(NODES);
    // With one address, that of the one who is cut off, there is nobody else to ask.
    const board = await rig.open(rig.client('ada', { url: ['http://b', 'http://c'] }), 'four');
    await rig.clock.advance(60_000);
    rig.server.cutOff('b');
    void board.put('k', 1);
    const cutOffMs = rig.clock.monotonicMs();
    await rig.until('saved', () => board.status.pending === 0);
    expect(rig.clock.monotonicMs() - cutOffMs).toBeLessThan(8_000);
    expect(board.status.node?.name).not.toBe('b');
  });

  it('C15: is found again where it was, when it comes back at once', async () => {
    const rig = new Rig();
    const board = await rig.open(rig.client());
    await rig.clock.advance(10_000);
    rig.server.kill('n', 0);
    const diedMs = rig.clock.monotonicMs();
    rig.server.node('n').rise();
    await rig.until('live', () => board.status.connection === 'live' && rig.net.dials === 2);
    expect(rig.clock.monotonicMs() - diedMs).toBeLessThan(300);
    expect(board.status.node?.id).toBe('n.2');
  });

  it('C15: was also the address that the application gave: nodes that were met are asked', async () => {
    const rig = new Rig(NODES);
    const client = rig.client('ada', { url: 'http://b' });
    await rig.open(client, 'five5');
    const board = await rig.open(client, 'four');
    await rig.clock.advance(60_000);
    rig.server.kill('b', 100);
    void board.put('k', 1);
    await rig.until('saved', () => board.status.pending === 0, 2_000);
  });
});

describe('a server that asks for time', () => {
  it('C14: gets it, within bounds', async () => {
    const rig = new Rig();
    const board = await rig.open(rig.client());
    const node = rig.server.node('n');
    const receive = node.receive.bind(node);
    let busy = 1;
    node.receive = (end, event, message, answer) => {
      if (event === 'open' && busy-- > 0) answer(refuse.unavailable('busy', 1e12));
      else receive(end, event, message, answer);
    };
    rig.server.tell('board', 'resume', { document: 'board' });
    await rig.clock.advance(29_000);
    expect(board.status.connection).toBe('connecting');
    await rig.until('live', () => board.status.connection === 'live', 10_000);
  });
});
