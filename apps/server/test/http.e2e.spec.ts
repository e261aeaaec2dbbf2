import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ClusterView } from '@homeport/core';
import { RawClient, ServerProcess } from '@homeport/testkit';

// Real processes, on whatever machine this is: how long they take decides nothing.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start();
});
afterAll(async () => {
  await server.dispose();
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${server.url}${path}`, { headers });
const push = (document: string, ops: unknown, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/v1/documents/${document}/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ops }),
  });
const positionOf = (response: Response) => response.headers.get('Homeport-Position')!;

describe('documents', () => {
  it('R3: reads a write with its position, as a document and as a record', async () => {
    const written = await push('http-1', [{ op: 'put', key: 'shape:7', value: { x: 1 } }]);
    expect(written.status).toBe(200);
    const { position } = (await written.json()) as { position: { timeline: string; seq: number } };
    expect(position.seq).toBe(1);
    expect(positionOf(written)).toBe(`${position.timeline}.1`);

    const demand = { 'Homeport-Min-Position': positionOf(written) };
    const document = await get('/v1/documents/http-1', demand);
    expect(await document.json()).toEqual({ ok: true, position, records: { 'shape:7': { value: { x: 1 }, seq: 1 } } });
    expect(positionOf(document)).toBe(positionOf(written));
    const record = await get('/v1/documents/http-1/records/shape%3A7', demand);
    expect(await record.json()).toEqual({ ok: true, position, record: { value: { x: 1 }, seq: 1 } });
  });

  it('answers 404 at a position for a record that is not there, and an empty document for one that never was', async () => {
    await push('http-absent', [{ op: 'put', key: 'a', value: 1 }]);
    const absent = await get('/v1/documents/http-absent/records/toString');
    expect(absent.status).toBe(404);
    expect(await absent.json()).toMatchObject({ ok: true, position: { seq: 1 }, record: null });
    const never = await get('/v1/documents/http-never');
    expect([never.status, await never.json()]).toEqual([200, expect.objectContaining({ records: {} })]);
  });

  it('reads the records of a prefix', async () => {
    await push(
      'http-prefix',
      ['a:1', 'a:2', 'b:1'].map((key) => ({ op: 'put', key, value: key })),
    );
    const { records } = (await (await get('/v1/documents/http-prefix?prefix=a:')).json()) as { records: object };
    expect(Object.keys(records)).toEqual(['a:1', 'a:2']);
  });

  it('lists the changes from a seq on', async () => {
    for (const value of [1, 2, 3]) await push('http-log', [{ op: 'put', key: 'n', value }]);
    const reply = (await (await get('/v1/documents/http-log/entries?from=2')).json()) as {
      entries: { seq: number; ops: unknown }[];
      to: number;
    };
    expect(reply.to).toBe(3);
    expect(reply.entries.map(({ seq, ops }) => [seq, ops])).toEqual([
      [2, [{ op: 'put', key: 'n', value: 2 }]],
      [3, [{ op: 'put', key: 'n', value: 3 }]],
    ]);
  });

  it('X8, W5: a push with an Idempotency-Key has one effect, and its retry the same answer', async () => {
    const ops = [{ op: 'put', key: 'n', value: { count: 0 }, if: { absent: true } }];
    const more = [{ op: 'increment', key: 'n', field: 'count', by: 1 }];
    await push('http-once', ops);
    const first = await push('http-once', more, { 'Idempotency-Key': 'order 7' });
    const retry = await push('http-once', more, { 'Idempotency-Key': 'order 7' });
    expect([retry.status, positionOf(retry)]).toEqual([200, positionOf(first)]);
    const other = await push('http-once', ops, { 'Idempotency-Key': 'order 7' });
    expect([other.status, await other.json()]).toEqual([409, expect.objectContaining({ code: 'session_conflict' })]);
    expect(await (await get('/v1/documents/http-once/records/n')).json()).toMatchObject({
      record: { value: { count: 1 } },
    });
  });

  it('W5: an Idempotency-Key is remembered over a crash', async () => {
    const ops = [{ op: 'increment', key: 'n', field: 'count', by: 1 }];
    await push('http-crash', [{ op: 'put', key: 'n', value: { count: 0 } }]);
    const first = await push('http-crash', ops, { 'Idempotency-Key': 'k' });
    await server.kill();
    await server.restart();
    expect(positionOf(await push('http-crash', ops, { 'Idempotency-Key': 'k' }))).toBe(positionOf(first));
    expect(await (await get('/v1/documents/http-crash/records/n')).json()).toMatchObject({
      record: { value: { count: 1 } },
    });
  });

  it('two requests are never taken for one writer: the second finds the version changed', async () => {
    await push('http-version', [{ op: 'put', key: 'n', value: 1 }]);
    const guarded = (value: number) => push('http-version', [{ op: 'put', key: 'n', value, if: { seq: 1 } }]);
    expect((await guarded(2)).status).toBe(200);
    const late = await guarded(3);
    expect([late.status, await late.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'conflict', key: 'n', current: 2 }),
    ]);
  });

  it('L3: a script that asks as fast as it can is not limited', async () => {
    const responses = await Promise.all(Array.from({ length: 500 }, () => get('/v1/documents/http-fast')));
    expect(responses.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('shows a push over HTTP to who has the document open on a socket', async () => {
    const client = await RawClient.connect(server.url);
    await client.ask('open', { document: 'http-live' });
    await push('http-live', [{ op: 'put', key: 'a', value: 'seen' }]);
    expect(await client.seen('entries')).toMatchObject({ document: 'http-live', from: 1, to: 1 });
    client.close();
  });
});

describe('pages', () => {
  it('documents every route at /docs, with nothing from outside', async () => {
    const page = await (await get('/docs')).text();
    expect(page).toMatch(/swagger-ui-bundle\.js/);
    expect(page).not.toMatch(/(src|href)=['"]?(https?:)?\/\//);
    expect(await (await get('/docs/swagger-ui-init.js')).text()).toMatch(/"validatorUrl": ?null/);
    const { paths } = (await (await get('/docs/openapi.json')).json()) as { paths: object };
    expect(Object.keys(paths).sort()).toEqual([
      '/health/live',
      '/health/ready',
      '/metrics',
      '/v1/cluster',
      '/v1/documents/{id}',
      '/v1/documents/{id}/entries',
      '/v1/documents/{id}/push',
      '/v1/documents/{id}/records/{key}',
      '/v1/guest',
      '/v1/revocations',
    ]);
  });

  it('answers at /, for every board, and for the cluster', async () => {
    for (const path of ['/', '/board/abc', '/cluster']) {
      const response = await get(path);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        expect.stringMatching(/^text\/html/),
      ]);
    }
  });

  it('has the counter of the README, with the client, and no script in the page itself', async () => {
    const page = await get('/counter.html');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    expect((await page.text()).match(/<script.*/g)).toEqual(['<script type="module" src="/counter.js"></script>']);
    const script = await get('/counter.js');
    expect(await script.text()).toMatch(/^import \{ createClient \} from '\.\/client\.js';/);
    for (const { status, headers } of [script, await get('/client.js')])
      expect([status, headers.get('content-type')]).toEqual([200, expect.stringMatching(/javascript/)]);
  });

  it('sends headers that keep pages to themselves', async () => {
    const { headers } = await get('/');
    expect(headers.get('content-security-policy')).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('lets no page of another origin read', async () => {
    const allowed = await get('/health/live', { origin: server.url });
    expect(allowed.headers.get('access-control-allow-origin')).toBe(server.url);
    const foreign = await get('/v1/documents/http-1', { origin: 'https://evil.example' });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('metrics', () => {
  it('counts pushes, flushes, documents, sessions and the lag of the event loop', async () => {
    const client = await RawClient.connect(server.url);
    await client.ask('open', { document: 'metered' });
    const ops = [{ op: 'put', key: 'a', value: 1 }];
    await client.ask('push', { document: 'metered', opNo: 1, after: 0, ops });
    await client.ask('push', { document: 'metered', opNo: 5, after: 4, ops });
    const text = await (await get('/metrics')).text();
    for (const line of [
      /^homeport_pushes_total\{outcome="ok"\} [1-9]/m,
      /^homeport_pushes_total\{outcome="gap"\} 1$/m,
      /^homeport_ack_seconds_count [1-9]/m,
      /^homeport_flush_entries_count [1-9]/m,
      /^homeport_flush_seconds_count [1-9]/m,
      /^homeport_documents [1-9]/m,
      /^homeport_records [1-9]/m,
      /^homeport_sessions 1$/m,
      /^nodejs_eventloop_lag_seconds /m,
    ])
      expect(text).toMatch(line);
    expect(text).not.toMatch(/metered/);
    client.close();
  });

  it.each(['/metrics', '/v1/cluster'])('Q4: %s is not for who comes through a proxy', async (path) => {
    const response = await get(path, { 'x-forwarded-for': '203.0.113.9' });
    expect([response.status, await response.json()]).toEqual([
      401,
      expect.objectContaining({ code: 'unauthenticated' }),
    ]);
  });
});

describe('the cluster', () => {
  it('is this one node, with what it has to do', async () => {
    const client = await RawClient.connect(server.url);
    const { node } = (await client.seen('hello')) as unknown as { node: { id: string; name: string; url: string } };
    const view = (await (await get('/v1/cluster')).json()) as ClusterView;
    expect(view).toMatchObject({
      me: node.id,
      nodes: [{ ...node, state: 'up', slots: 1_024, load: { sessions: 1, pendingPushes: 0 } }],
      timeline: [{ kind: 'joined', node: node.name }],
      postgres: { state: 'up' },
      redis: { state: 'off' },
    });
    expect(view.slots).toEqual(Array(1_024).fill(0));
    client.close();
  });

  it('may be looked at from the pages of the nodes in ALLOWED_ORIGINS, and these may connect to each other', async () => {
    const nodes = ['http://localhost:3001', 'https://two.example'];
    const one = await ServerProcess.start({ env: { ALLOWED_ORIGINS: nodes.join(',') } });
    try {
      const view = await fetch(`${one.url}/v1/cluster`, { headers: { origin: nodes[1]! } });
      expect(view.headers.get('access-control-allow-origin')).toBe(nodes[1]);
      const policy = (await fetch(`${one.url}/cluster`)).headers.get('content-security-policy')!;
      const connect = policy.split('; ').find((part) => part.startsWith('connect-src'))!;
      expect(connect.split(' ')).toEqual(
        expect.arrayContaining(["'self'", ...nodes, 'ws://localhost:3001', 'wss://two.example']),
      );
      expect(connect).not.toMatch(/\*|https?:(?!\/\/)/);
    } finally {
      await one.dispose();
    }
  });
});
