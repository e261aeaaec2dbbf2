import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect, EmbeddedPostgres } from '@homeport/postgres';
import { RawClient, ServerProcess, until, within } from '@homeport/testkit';

// Real processes, on whatever machine this is: how long they take decides nothing.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const put = (key: string, value: unknown) => ({ op: 'put', key, value });

let server: ServerProcess;

/** Pushes one after the other, as a client does: the same opNo again until it is accepted. */
class Writer {
  readonly acknowledged: number[] = [];
  readonly #stop = new AbortController();
  readonly #writing: Promise<void>;

  constructor(
    private readonly client: RawClient,
    private readonly document: string,
  ) {
    this.#writing = this.#write();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#writing;
  }

  async #write(): Promise<void> {
    for (let opNo = 1; !this.#stop.signal.aborted; opNo++) {
      const push = { document: this.document, opNo, after: opNo - 1, ops: [put(`k${opNo}`, opNo)] };
      let reply = await this.client.ask('push', push);
      while (!reply.ok) {
        if (reply['code'] !== 'unavailable') throw new Error(`push ${opNo} was refused: ${JSON.stringify(reply)}`);
        await new Promise((again) => setTimeout(again, 50));
        reply = await this.client.ask('push', push);
      }
      this.acknowledged.push((reply['position'] as { seq: number }).seq);
    }
  }
}

async function recordsOf(
  client: RawClient,
  document: string,
): Promise<Record<string, { value: unknown; seq: number }>> {
  const reply = await client.ask('read', { document });
  if (!reply.ok) throw new Error(JSON.stringify(reply));
  return reply['records'] as Record<string, { value: unknown; seq: number }>;
}

describe('a stop', () => {
  afterEach(async () => {
    await server.dispose();
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s saves what was acknowledged, answers what was taken, and exits with 0',
    async (signal) => {
      server = await ServerProcess.start();
      const client = await RawClient.connect(server.url);
      await client.ask('open', { document: 'drained' });
      const replies: Promise<{ ok: boolean } | undefined>[] = [];
      for (let opNo = 1; opNo <= 60; opNo++) {
        const push = { document: 'drained', opNo, after: opNo - 1, ops: [put(`k${opNo}`, opNo)] };
        replies.push(client.ask('push', push).catch(() => undefined));
      }
      await replies[0];
      server.signal(signal);
      server.signal(signal);
      expect(await within(40_000, 'the server to stop', server.exited, () => server.logs)).toEqual({
        code: 0,
        signal: null,
      });
      const acknowledged = (await Promise.all(replies)).filter((reply) => reply?.ok).length;
      expect(acknowledged).toBeGreaterThan(0);

      await server.restart();
      const reader = await RawClient.connect(server.url);
      const records = await recordsOf(reader, 'drained');
      for (let opNo = 1; opNo <= acknowledged; opNo++) expect(records[`k${opNo}`]).toEqual({ value: opNo, seq: opNo });
      reader.close();
    },
  );

  it('W1: a kill -9, of the server and of its Postgres, loses nothing that was acknowledged', async () => {
    server = await ServerProcess.start();
    const client = await RawClient.connect(server.url);
    await client.ask('open', { document: 'killed' });
    for (let opNo = 1; opNo <= 20; opNo++)
      expect(
        await client.ask('push', { document: 'killed', opNo, after: opNo - 1, ops: [put(`k${opNo}`, opNo)] }),
      ).toMatchObject({ ok: true });
    await server.kill();
    expect(await server.killPostgres()).toBe(true);
    await server.restart();
    const reader = await RawClient.connect(server.url);
    expect(Object.keys(await recordsOf(reader, 'killed'))).toHaveLength(20);
    reader.close();
  });
});

describe('Postgres', () => {
  let folder: string;
  let database: EmbeddedPostgres;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'homeport-days-'));
    database = await EmbeddedPostgres.start(folder, () => {});
    server = await ServerProcess.start({ env: { DATABASE_URL: database.url } });
  });
  afterEach(async () => {
    await server.dispose();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([2, 20])(
    'W1, W8, E6: is away for %i s: nothing is acknowledged meanwhile, and all of it is saved when it is back',
    async (awayS) => {
      const client = await RawClient.connect(server.url);
      await client.ask('open', { document: 'outage' });
      const writer = new Writer(client, 'outage');
      await until(20_000, 'the first acks', () => writer.acknowledged.length > 10);

      await database.stop();
      const before = writer.acknowledged.length;
      await new Promise((passed) => setTimeout(passed, awayS * 1_000));
      // What was committed before the stop may still have been on its way to us.
      expect(writer.acknowledged.length - before).toBeLessThanOrEqual(1);
      expect((await fetch(`${server.url}/health/live`)).status).toBe(200);

      database = await EmbeddedPostgres.start(folder, () => {});
      const resumed = writer.acknowledged.length;
      await until(30_000, 'acks after the return of Postgres', () => writer.acknowledged.length > resumed + 10);
      await writer.stop();
      expect(writer.acknowledged).toEqual(writer.acknowledged.map((_, index) => index + 1));
      const records = await recordsOf(client, 'outage');
      expect(Object.keys(records)).toHaveLength(writer.acknowledged.length);
      client.close();
    },
  );

  it('is away when the server is told to stop: it ends in bounded time and says that not all was saved', async () => {
    const client = await RawClient.connect(server.url);
    await client.ask('open', { document: 'stuck' });
    expect(await client.ask('push', { document: 'stuck', opNo: 1, after: 0, ops: [put('a', 1)] })).toMatchObject({
      ok: true,
    });
    // Taken, and on its way to the disk, when Postgres goes. It sleeps there instead of waiting for a lock: that of
    // another connection is free a moment before the flush is told to end, which is enough for it to be committed.
    const sql = connect(database.url, 1);
    await sql.unsafe(`
      CREATE FUNCTION slow_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
      CREATE TRIGGER slow_disk BEFORE INSERT ON entry_batch FOR EACH ROW EXECUTE FUNCTION slow_disk();`);
    const reply = client
      .ask('push', { document: 'stuck', opNo: 2, after: 1, ops: [put('b', 2)] })
      .catch(() => undefined);
    await until(20_000, 'a flush that waits', async () => {
      return (await sql`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`).length > 0;
    });
    await database.stop();
    await sql.end({ timeout: 0 });
    expect(await server.stop(60_000)).toEqual({ code: 1, signal: null });
    expect((await reply)?.ok).not.toBe(true);

    database = await EmbeddedPostgres.start(folder, () => {});
    await server.restart();
    const reader = await RawClient.connect(server.url);
    expect(await recordsOf(reader, 'stuck')).toEqual({ a: { value: 1, seq: 1 } });
    reader.close();
  });

  it('has a full disk: pushes are refused or wait, the document is neither lost nor served empty', async () => {
    const sql = connect(database.url, 1);
    const client = await RawClient.connect(server.url);
    await client.ask('open', { document: 'full' });
    expect(await client.ask('push', { document: 'full', opNo: 1, after: 0, ops: [put('a', 1)] })).toMatchObject({
      ok: true,
    });
    await sql.unsafe(`
      CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON entry_batch EXECUTE FUNCTION full_disk();`);
    const push = { document: 'full', opNo: 2, after: 1, ops: [put('b', 2)] };
    expect(await client.ask('push', push)).toMatchObject({ ok: false, code: 'unavailable' });
    expect(await recordsOf(client, 'full')).toEqual({ a: { value: 1, seq: 1 } });

    await sql`DROP TRIGGER full_disk ON entry_batch`;
    await until(20_000, 'the push to be taken again', async () => (await client.ask('push', push)).ok);
    expect(await recordsOf(client, 'full')).toEqual({ a: { value: 1, seq: 1 }, b: { value: 2, seq: 2 } });
    client.close();
    await sql.end();
  });

  it('fails to load a document: it is refused, never served empty and never overwritten', async () => {
    const sql = connect(database.url, 1);
    const client = await RawClient.connect(server.url);
    await client.ask('open', { document: 'loaded' });
    await client.ask('push', { document: 'loaded', opNo: 1, after: 0, ops: [put('a', 1)] });
    client.close();
    await server.stop();
    await server.restart();
    await sql`ALTER TABLE record RENAME TO record_away`;
    const again = await RawClient.connect(server.url);
    expect(await again.ask('open', { document: 'loaded' })).toMatchObject({ ok: false, code: 'unavailable' });
    expect(await again.ask('read', { document: 'loaded' })).toMatchObject({ ok: false, code: 'unavailable' });
    await sql`ALTER TABLE record_away RENAME TO record`;
    await until(20_000, 'the document', async () => (await again.ask('open', { document: 'loaded' })).ok);
    expect(await recordsOf(again, 'loaded')).toEqual({ a: { value: 1, seq: 1 } });
    again.close();
    await sql.end();
  });
});

describe('a socket that stops reading', () => {
  it('E3: is taken out of its documents, slows nobody, and comes back by resuming', async () => {
    server = await ServerProcess.start();
    try {
      const [writer, reader, stalled] = await Promise.all([0, 1, 2].map(() => RawClient.connect(server.url)));
      for (const one of [writer!, reader!, stalled!]) await one.ask('open', { document: 'hot' });
      stalled!.stopReading();
      const text = 'x'.repeat(100_000);
      const pushes = 300;
      for (let opNo = 1; opNo <= pushes; opNo++) {
        const push = { document: 'hot', opNo, after: opNo - 1, ops: [put(`k${opNo % 10}`, `${opNo} ${text}`)] };
        expect(await writer!.ask('push', push)).toMatchObject({ ok: true });
      }
      await reader!.seen('entries', ({ to }: { to: number }) => to === pushes);

      stalled!.resumeReading();
      expect(await stalled!.seen('resume')).toEqual({ document: 'hot' });
      const taken = stalled!.received.filter(({ event }) => event === 'entries').length;
      expect(taken).toBeLessThan(pushes / 2);
      expect(await stalled!.ask('open', { document: 'hot' })).toMatchObject({ ok: true, position: { seq: pushes } });
      for (const one of [writer!, reader!, stalled!]) one.close();
    } finally {
      await server.dispose();
    }
  });
});
