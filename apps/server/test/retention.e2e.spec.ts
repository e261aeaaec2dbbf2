import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { connect, EmbeddedPostgres } from '@homeport/postgres';
import { RawClient, ServerProcess, until } from '@homeport/testkit';

// Real processes, on whatever machine this is: how long they take decides nothing.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

it('LOG_RETENTION lets old changes go; the document stays whole, and who asks for them is told to resync', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'homeport-retention-'));
  const postgres = await EmbeddedPostgres.start(folder, () => {});
  const sql = connect(postgres.url, 1);
  const server = await ServerProcess.start({ env: { DATABASE_URL: postgres.url, LOG_RETENTION: '1h' } });
  try {
    const client = await RawClient.connect(server.url);
    await client.ask('open', { document: 'long' });
    const pushes = 1_200;
    const push = (opNo: number) => {
      const ops = [{ op: 'put', key: `k${opNo % 10}`, value: opNo }];
      return client.ask('push', { document: 'long', opNo, after: opNo - 1, ops });
    };
    for (let first = 1; first <= pushes; first += 40) {
      const replies = await Promise.all(Array.from({ length: 40 }, (_, index) => push(first + index)));
      expect(replies.filter(({ ok }) => !ok)).toEqual([]);
    }
    client.close();
    await server.stop();
    await sql`UPDATE entry_batch SET at = now() - interval '2 hours'`;
    await server.restart();

    const statusOf = async (from: number) =>
      (await fetch(`${server.url}/v1/documents/long/entries?from=${from}`)).status;
    await until(30_000, 'the log to be trimmed', async () => (await statusOf(1)) === 410);
    expect(await statusOf(pushes)).toBe(200);
    const response = await fetch(`${server.url}/v1/documents/long`);
    expect(await response.json()).toMatchObject({
      position: { seq: pushes },
      records: { k0: { value: 1_200, seq: 1_200 } },
    });
  } finally {
    await server.dispose();
    await sql.end();
    await postgres.stop();
    await rm(folder, { recursive: true });
  }
});
