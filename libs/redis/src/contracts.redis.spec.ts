import { afterAll, beforeAll } from 'vitest';
import { startRedis, TestRedisCluster, until, type TestRedis } from '@homeport/testkit';
import { describeBus, type Buses } from '../../testkit/src/contracts/bus.contract.js';
import { connectRedis, type RedisLinks } from './redis-links.js';
import { clusterKey } from './seal.js';

let redis: TestRedis;
let cluster: TestRedisCluster;
beforeAll(async () => {
  redis = await startRedis();
  cluster = await TestRedisCluster.start();
});
afterAll(async () => {
  await redis.dispose();
  await cluster.dispose();
});

let namespaces = 0;

function busesOn(server: TestRedis | TestRedisCluster): Buses {
  const namespace = `cluster-${++namespaces}`;
  const opened: RedisLinks[] = [];
  return {
    connect: async () => {
      const links = await connectRedis(server.url, () => {});
      opened.push(links);
      return links.bus(namespace, clusterKey(undefined, namespace));
    },
    lose: () => server.kill(),
    restore: () => server.restart(),
    close: async () => {
      for (const links of opened) links.close();
    },
    until: (what, holds) => until(20_000, what, holds),
  };
}

describeBus('RedisBus', async () => busesOn(redis));
describeBus('RedisBus on a Redis Cluster', async () => busesOn(cluster));
