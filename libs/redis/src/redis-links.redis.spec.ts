import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { freePort, startRedis, type TestRedis } from '@homeport/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis } from './redis-links.js';

let redis: TestRedis;
let guarded: TestRedis;
let member: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
  guarded = await startRedis({ args: ['--requirepass', 'hunter2'] });
  member = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())] });
});
afterAll(async () => {
  for (const server of [redis, guarded, member]) await server.dispose();
});

async function refusal(url: string): Promise<string> {
  try {
    (await connectRedis(url, () => {})).close();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${url} was accepted`);
}

/** The same Redis, which says that it is version 6: the answer is as long as the true one. */
async function olderBy(port: number): Promise<Server> {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.on('data', (bytes) => far.write(bytes)).on('error', () => {});
    far.on('error', () => {}).on('close', () => near.destroy());
    far.on('data', (bytes) =>
      near.write(Buffer.from(bytes.toString('latin1').replace(/redis_version:\d/, 'redis_version:6'), 'latin1')),
    );
    near.on('close', () => far.destroy());
  });
  await listening(server);
  return server;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

it('B3: a Redis older than 7 is refused at the start, by its version', async () => {
  const older = await olderBy(redis.port);
  const { port } = older.address() as AddressInfo;
  expect(await refusal(`redis://127.0.0.1:${port}`)).toMatch(
    new RegExp(`^REDIS_URL: the Redis at 127.0.0.1:${port} is version 6\\S*, and Redis 7 or newer is needed$`),
  );
  older.close();
});

it('B3: where nothing answers, the start is refused with the place and the reason', async () => {
  const port = await freePort();
  expect(await refusal(`redis://ada:hunter2@127.0.0.1:${port}`)).toBe(
    `REDIS_URL: no Redis answers at 127.0.0.1:${port} (connect ECONNREFUSED 127.0.0.1:${port})`,
  );
  expect(await refusal(`redis-cluster://127.0.0.1:${port}`)).toMatch(
    new RegExp(`^REDIS_URL: no Redis answers at 127.0.0.1:${port} \\(.+\\)$`),
  );
  expect(await refusal(`redis://nowhere.invalid`)).toMatch(/^REDIS_URL: no Redis answers at nowhere.invalid:6379 \(.+/);
});

it('B3: what accepts connections and says nothing, or something else, is no Redis', async () => {
  const mute = createServer(() => {});
  const web = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  for (const server of [mute, web]) {
    expect(await refusal(`redis://127.0.0.1:${await listening(server)}`)).toMatch(
      /^REDIS_URL: no Redis answers at [^\n]+$/,
    );
    server.close();
  }
});

it('B3: a password that is wrong or missing is said, and never shown', async () => {
  for (const url of [guarded.url, guarded.url.replace('//', '//:wrong-one@')]) {
    const line = await refusal(url);
    expect(line).toMatch(/^REDIS_URL: no Redis answers at 127\.0\.0\.1:\d+ \((NOAUTH|WRONGPASS)/);
    expect(line).not.toMatch(/hunter2|wrong-one/);
  }
  (await connectRedis(guarded.url.replace('//', '//:hunter2@'), () => {})).close();
});

it('B3: a node of a Redis Cluster is not taken for a Redis, nor the other way round', async () => {
  expect(await refusal(member.url)).toMatch(/is a node of a Redis Cluster: write redis-cluster:\/\/$/);
  expect(await refusal(redis.url.replace('redis:', 'redis-cluster:'))).toMatch(
    /^REDIS_URL: no Redis answers at .*cluster support disabled/,
  );
});
