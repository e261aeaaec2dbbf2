/** Two servers, and a Redis that is there and does nothing: who is at the owner does not notice, who is not is told where to go. */
import { slotOf, type ClusterView } from '@homeport/core';
import { ClusterProcesses, RawClient, until, type ClusterNode } from '@homeport/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const LIMIT_MS = 60_000;
const BOARD = 'board-1';

describe('While Redis hangs', () => {
  let cluster: ClusterProcesses;
  let owner: ClusterNode;
  let other: ClusterNode;
  let [writer, reader, relayed]: RawClient[] = [];
  let opNo = 0;

  beforeAll(async () => {
    cluster = await ClusterProcesses.start({ nodes: 2, env: { LOG_LEVEL: 'warn' } });
    await until(LIMIT_MS, 'both to have slots', async () => (await view()).nodes.every(({ slots }) => slots === 512));
    const { nodes, slots } = await view();
    owner = cluster.nodes.find(({ name }) => name === nodes[slots[slotOf(BOARD)]!]!.name)!;
    other = cluster.nodes.find((node) => node !== owner)!;
    [writer, reader, relayed] = await Promise.all([owner, owner, other].map(({ url }) => RawClient.connect(url)));
    for (const client of [writer!, reader!, relayed!])
      expect(await client.ask('open', { document: BOARD, pin: 'relay' })).toMatchObject({ ok: true });
    expect(await push()).toMatchObject({ ok: true });
    await relayed!.seen('entries', ({ to }: { to: number }) => to === 1);
    cluster.redis!.stop();
  }, 120_000);
  afterAll(async () => {
    cluster.redis!.cont();
    for (const client of [writer, reader, relayed]) client?.close();
    await cluster.stop();
  });

  it('E5: those at the owner write, and see at once what others write', async () => {
    for (let n = 0; n < 20; n++) {
      expect(await push()).toMatchObject({ ok: true });
      // An open sends what is held for the others first, and one socket keeps its order: nothing else is waited for.
      await writer!.ask('open', { document: BOARD });
      const read = await reader!.ask('read', { document: BOARD });
      expect(read).toMatchObject({ ok: true, position: { seq: opNo } });
      const shown = reader!.received.flatMap(({ event, payload }) => (event === 'entries' ? [payload] : []));
      expect(shown.at(-1)).toMatchObject({ to: opNo });
    }
  });

  it('E5 B1: who is relayed, and HTTP at another node, are told where the document lives', async () => {
    const refused = { ok: false, code: 'unavailable', message: expect.stringContaining(owner.url) as string };
    const ask = { document: BOARD, opNo: 1, after: 0, ops: [{ op: 'put', key: 'mine', value: 1 }] };
    expect(await relayed!.ask('push', ask)).toMatchObject(refused);
    expect(await relayed!.ask('read', { document: BOARD })).toMatchObject(refused);
    const http = await fetch(`${other.url}/v1/documents/${BOARD}`);
    expect([http.status, await http.json()]).toEqual([503, expect.objectContaining(refused)]);
  });

  it('D2 R3: when it goes on, who is relayed comes to the head, and what was refused can be sent again', async () => {
    cluster.redis!.cont();
    const ask = { document: BOARD, opNo: 1, after: 0, ops: [{ op: 'put', key: 'mine', value: 1 }] };
    await until(LIMIT_MS, 'the push', async () => (await relayed!.ask('push', ask)).ok);
    await relayed!.seen('head', ({ seq }: { seq: number }) => seq >= opNo);
    const read = await relayed!.ask('read', { document: BOARD });
    expect(read).toMatchObject({ ok: true, records: { mine: { value: 1 }, k: { value: opNo } } });
  });

  function push() {
    opNo++;
    const ops = [{ op: 'put', key: 'k', value: opNo }];
    return writer!.ask('push', { document: BOARD, opNo, after: opNo - 1, ops });
  }

  async function view(): Promise<ClusterView> {
    return (await (await fetch(`${cluster.nodes[0]!.url}/v1/cluster`)).json()) as ClusterView;
  }
});
