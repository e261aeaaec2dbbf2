/**
 * The connections, with the settings that were found to be needed (ioredis 6.0; what goes wrong without them is tested).
 *
 * A publisher sends a message at most once: nothing waits for a better time, and nothing is sent again on a new
 * connection, where its first copy may have arrived. A subscriber keeps at it for ever: what it was asked to hear while
 * Redis was away is heard when Redis is back.
 */
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { placeOf, type RedisAddress } from './redis-address.js';

export type Connection = Redis | Cluster;

const REDIS_MAJOR_MIN = 7;

/** An answer that takes longer is not waited for; the message may have been heard all the same. */
const COMMAND_MS = 2_000;
/** A connection on which something was asked, and nothing at all was heard, is given up and made anew. */
const SILENCE_MS = 3_000;
/** A first packet that was lost is sent again after 1 s, the next after 2 s more: sooner is to begin anew. */
const CONNECT_MS = 2_000;
/** Of TCP, where nothing is asked. */
const KEEP_ALIVE_MS = 5_000;

const BOTH = {
  lazyConnect: true,
  connectTimeout: CONNECT_MS,
  socketTimeout: SILENCE_MS,
  keepAlive: KEEP_ALIVE_MS,
  // A number would throw away, after so many attempts to connect, what waits to be subscribed.
  maxRetriesPerRequest: null,
} satisfies RedisOptions;

export function publisherTo(address: RedisAddress): Connection {
  const options = { ...BOTH, autoResendUnfulfilledCommands: false, commandTimeout: COMMAND_MS };
  // On a lost connection a Cluster client would try again, and publish twice.
  return connectionTo(address, options, { enableOfflineQueue: false, retryDelayOnFailover: 0 });
}

export function subscriberTo(address: RedisAddress): Connection {
  return connectionTo(address, BOTH, { enableOfflineQueue: true, shardedSubscribers: true });
}

function connectionTo(
  { kind, hosts, username, password, isEncrypted }: RedisAddress,
  shared: typeof BOTH & Pick<RedisOptions, 'autoResendUnfulfilledCommands' | 'commandTimeout'>,
  { enableOfflineQueue, ...cluster }: ClusterOptions & { enableOfflineQueue: boolean },
): Connection {
  const options = { ...shared, username, password, ...(isEncrypted && { tls: {} }) };
  if (kind === 'single') return new Redis({ ...options, ...hosts[0]!, enableOfflineQueue, retryStrategy: pauseMs });
  return new Cluster([...hosts], {
    ...cluster,
    enableOfflineQueue,
    lazyConnect: true,
    clusterRetryStrategy: pauseMs,
    slotsRefreshInterval: 5_000,
    // The certificates of a Redis Cluster name its hosts, not their addresses.
    ...(isEncrypted && { dnsLookup: (host, found) => found(null, host) }),
    redisOptions: options,
  });
}

/** Between two attempts to connect: relayed sessions wait for the next. */
function pauseMs(attempt: number): number {
  return Math.min(attempt * 50, 250);
}

/** Rejects, naming REDIS_URL, where there is no Redis that we can use. The connection then still tries: disconnect it. */
export async function establish(connection: Connection, address: RedisAddress): Promise<void> {
  let reason = '';
  const note = (error: Error): void => {
    reason = reasonOf(error);
  };
  connection.on('error', note);
  try {
    await connection.connect();
  } catch (error) {
    throw new Error(`REDIS_URL: no Redis answers at ${placeOf(address)} (${reason || reasonOf(error)})`);
  } finally {
    connection.off('error', note);
  }
}

/** Rejects where a server is too old for sharded publish and subscribe, or is of another kind than the address says. */
export async function inspect(connection: Connection, address: RedisAddress): Promise<void> {
  const servers = connection instanceof Cluster ? connection.nodes('master') : [connection];
  for (const info of await Promise.all(servers.map((server) => server.info('server')))) {
    const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
    if (!(Number.parseInt(version, 10) >= REDIS_MAJOR_MIN))
      throw new Error(
        `REDIS_URL: the Redis at ${placeOf(address)} is version ${version}, and Redis ${REDIS_MAJOR_MIN} or newer is needed`,
      );
    if (address.kind === 'single' && /^redis_mode:cluster/m.test(info))
      throw new Error(`REDIS_URL: ${placeOf(address)} is a node of a Redis Cluster: write redis-cluster://`);
  }
}

/** What is the matter, in a line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Some carry what happened inside: the last of several attempts, each without a message of its own above.
  const inner =
    error instanceof AggregateError ? error.errors[0] : (error as { lastNodeError?: unknown }).lastNodeError;
  return inner instanceof Error ? reasonOf(inner) : error.message || error.name;
}
