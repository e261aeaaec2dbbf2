import { until } from './server-process.js';
import { freePort, startRedis, type TestRedis } from './test-redis.js';

const SLOTS = 16_384;
const READY_MS = 30_000;

/** A Redis Cluster of some nodes without replicas, each with its share of the slots. */
export class TestRedisCluster {
  private constructor(readonly nodes: readonly TestRedis[]) {}

  static async start(size = 2): Promise<TestRedisCluster> {
    const nodes: TestRedis[] = [];
    for (let n = 0; n < size; n++) {
      const busPort = await freePort();
      const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000'];
      const node = await startRedis({ args });
      const [low, high] = [Math.ceil((n * SLOTS) / size), Math.ceil(((n + 1) * SLOTS) / size) - 1];
      await node.say(`CLUSTER ADDSLOTSRANGE ${low} ${high}`);
      await nodes[0]?.say(`CLUSTER MEET 127.0.0.1 ${node.port} ${busPort}`);
      nodes.push(node);
    }
    const cluster = new TestRedisCluster(nodes);
    await cluster.#ready();
    return cluster;
  }

  get url(): string {
    return `redis-cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  async kill(): Promise<void> {
    for (const node of this.nodes) await node.kill();
  }

  async restart(): Promise<void> {
    for (const node of this.nodes) await node.restart();
    await this.#ready();
  }

  async dispose(): Promise<void> {
    for (const node of this.nodes) await node.dispose();
  }

  async #ready(): Promise<void> {
    const known = new RegExp(`cluster_state:ok[^]*cluster_known_nodes:${this.nodes.length}`);
    for (const node of this.nodes)
      await until(READY_MS, 'the Redis Cluster to be whole', async () => known.test(await node.say('CLUSTER INFO')));
  }
}
