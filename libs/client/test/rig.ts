/** A server of one node or several, a network and a clock for one test, with calm weather. */
import {
  createClient,
  type AnyRecords,
  type Board,
  type Client,
  type ClientOptions,
  type OpenOptions,
} from '../src/index.js';
import { FakeClock } from './fake-clock.js';
import { FakeNetwork } from './fake-network.js';
import { FakeServer } from './fake-server.js';
import { SeededRandom } from './seeded-random.js';

export class Rig {
  readonly clock = new FakeClock();
  readonly random = new SeededRandom(1);
  readonly server: FakeServer;
  readonly net: FakeNetwork;
  readonly errors: string[] = [];

  constructor(nodes: readonly string[] = ['n']) {
    this.server = new FakeServer(this.clock, this.random, nodes);
    this.net = new FakeNetwork(this.clock, this.random, this.server);
  }

  client(token: ClientOptions['token'] = 'ada', options: ClientOptions = {}): Client {
    const { clock, random, net } = this;
    const client = createClient({
      url: `http://${[...this.server.nodes.keys()][0]}`,
      token,
      clock,
      random,
      dialer: net,
      ...options,
    });
    client.onError((error) => this.errors.push(error.code));
    return client;
  }

  async open<Records = AnyRecords>(client: Client, id = 'board', options: OpenOptions = {}): Promise<Board<Records>> {
    let settled = false;
    const opening = client.open<Records>(id, options).finally(() => (settled = true));
    opening.catch(() => undefined);
    await this.until('the board is open or refused', () => settled);
    return opening;
  }

  async until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
    const limit = this.clock.monotonicMs() + limitMs;
    while (!holds()) {
      if (!(await this.clock.step(limit))) {
        await this.clock.settle();
        if (!holds()) throw new Error(`it did not come within ${limitMs} ms: ${what}`);
      }
    }
  }
}
