/** What the sessions of a slot notice of its handoff: nothing, on a clock on which every millisecond counts. */
import { ClusterSimulation, put, type Line, type Peer, type SimNode } from '@homeport/testkit';
import type { EntriesFrame, Moved, OpenReply, PushReply, ReadReply, Seq } from '@homeport/protocol';
import { describe, expect, it } from 'vitest';
import { slotOf } from '../document/slot.js';

const BOARD = 'board-1';
const STALL_MAX_MS = 100;
/** Enough that the last is told to go so late that it would notice. */
const WATCHERS = 400;
const PIPELINED = 8;

describe('A handoff', () => {
  it('E1: a session that is told to go late is served meanwhile: acks, reads, and frames without a hole', async () => {
    const { run, owner, someone, moved } = await cluster();
    const watchers = Array.from({ length: WATCHERS }, (_, n) => new Client(`w${n}`));
    const writer = new Client('writer');
    for (const client of watchers) client.connect(owner());
    await run.world.until('all to be open', () => watchers.every(({ isOpen }) => isOpen));
    writer.connect(owner());
    await run.world.until('the last to be open', () => writer.isOpen);
    const watching = watchers.at(-1)!;

    const from = owner();
    const drained = someone(from).drained;
    await writer.pushesUntil(run, () => writer.moved !== undefined);
    const { afterMs } = writer.moved!;
    expect(afterMs).toBeGreaterThan(2 * STALL_MAX_MS);
    const toldMs = run.world.monotonicMs();
    const before = writer.acked;
    await writer.pushesUntil(run, () => run.world.monotonicMs() - toldMs >= afterMs);
    expect(moved(from)).toBe(true);
    expect(writer.acked - before).toBeGreaterThan(20);
    expect(writer.refusals).toEqual([]);
    expect(writer.longestMs).toBeLessThan(STALL_MAX_MS);

    const read = await run.world.outcome('a read', writer.ask<ReadReply>('read', {}));
    expect(read).toMatchObject({ ok: true, position: { seq: writer.acked } });
    await run.world.until('the frames', () => watching.position === writer.acked, 200);
    expect(watching.holes).toBe(0);

    for (const client of [...watchers, writer]) client.hangUp();
    await run.world.outcome('the end', drained, 2_000);
  });

  it('E1: without the bus they are let go of, and told where to', async () => {
    const { run, owner, someone } = await cluster();
    const writer = new Client('writer');
    writer.connect(owner());
    await run.world.until('it to be open', () => writer.isOpen);
    run.exchange.stop();
    void someone(owner()).drained;
    await writer.pushesUntil(run, () => writer.moved !== undefined);
    expect(writer.refusals[0]).toMatchObject({ code: 'moved', owner: writer.moved!.owner });
  });
});

/** One session on the board, which stays where it is until it is told otherwise by the test. */
class Client {
  isOpen = false;
  moved: Moved | undefined;
  position = 0 as Seq;
  acked = 0;
  holes = 0;
  longestMs = 0;
  readonly refusals: PushReply[] = [];
  #line: Line | undefined;
  #opNo = 0;

  constructor(private readonly session: string) {}

  connect(node: SimNode): void {
    const peer: Peer = {
      hear: (event, payload) => this.#hear(event, payload),
      heardAnswer: () => {},
      ended: () => {},
    };
    this.#line = node.connect(peer, this.session);
  }

  /** Some at a time, each as soon as an earlier one is answered. */
  async pushesUntil(run: ClusterSimulation, isOver: () => boolean): Promise<void> {
    let unanswered = 0;
    const isGoingOn = (): boolean => !isOver() && this.refusals.length === 0;
    const send = (): void => {
      const sentMs = run.world.monotonicMs();
      unanswered++;
      void this.push().then((reply) => {
        unanswered--;
        this.longestMs = Math.max(this.longestMs, run.world.monotonicMs() - sentMs);
        if (reply.ok) this.acked = reply.position.seq;
        else this.refusals.push(reply);
        if (isGoingOn()) send();
      });
    };
    for (let n = 0; n < PIPELINED; n++) send();
    await run.world.until('the last answer', () => unanswered === 0);
  }

  push(): Promise<PushReply> {
    const opNo = ++this.#opNo;
    return this.ask('push', { opNo, after: opNo - 1, ops: [put('a', opNo)] });
  }

  ask<Reply>(event: string, payload: object): Promise<Reply> {
    return new Promise((answered) => this.#line!.ask(event, { document: BOARD, ...payload }, answered));
  }

  hangUp(): void {
    this.#line!.hangUp();
  }

  #hear(event: string, payload: unknown): void {
    if (event === 'hello') void this.ask<OpenReply>('open', {}).then((reply) => (this.isOpen = reply.ok));
    if (event === 'moved') this.moved = payload as Moved;
    if (event !== 'entries') return;
    const { from, to } = payload as EntriesFrame;
    if (from > this.position + 1) this.holes++;
    this.position = to;
  }
}

async function cluster() {
  const run = new ClusterSimulation(11, {});
  // As Redis has it: what one node sends to another stays in order.
  run.exchange.weather = { loss: 0, doubling: 0, latencyLowMs: 0.5, latencyHighMs: 0.5 };
  for (const name of ['a', 'b', 'c']) run.boot(name);
  const ownerId = (): string | undefined => run.database.slots[slotOf(BOARD)]?.owner;
  const owner = (): SimNode => run.nodes.find(({ node: { me } }) => me.id === ownerId())!;
  const shares = (): number[] =>
    run.living.map(({ node: { me } }) => run.database.slots.filter((s) => s.owner === me.id).length);
  await run.world.until(
    'fair shares',
    () => run.isOwned && Math.min(...shares()) >= 341 && owner().node.mayServe(slotOf(BOARD)),
  );
  return {
    run,
    owner,
    someone: (node: SimNode) => ({ drained: node.node.drain() }),
    moved: (from: SimNode) => ownerId() !== from.node.me.id,
  };
}
