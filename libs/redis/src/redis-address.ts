/** What REDIS_URL names: one Redis, or some nodes of a Redis Cluster, by which the others are found. */
export interface RedisAddress {
  readonly kind: 'single' | 'cluster';
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly isEncrypted: boolean;
}

const ADDRESS = /^redis(s?)(-cluster)?:\/\/(?:([^/]*)@)?([^/@?#]+)(?:\/\d{0,3})?$/;
const PORT = 6379;

/**
 * `redis://user:password@host:port`, or `redis-cluster://user:password@host:port,host:port`; with `rediss` over TLS. A
 * number of a database may follow and means nothing: what is published is in none.
 *
 * Throws an Error whose message continues "REDIS_URL …" and repeats nothing of the value, which may hold a password.
 */
export function readRedisAddress(url: string): RedisAddress {
  const [, s, cluster, credentials, places] = ADDRESS.exec(url) ?? [];
  if (places === undefined) throw malformed();
  const hosts = places.split(',').map(hostOf);
  if (hosts.length > 1 && cluster === undefined)
    throw new Error('names several hosts: for the nodes of a Redis Cluster write redis-cluster://');
  return { kind: cluster === undefined ? 'single' : 'cluster', hosts, ...userOf(credentials), isEncrypted: s === 's' };
}

/** Where an address leads, to be shown to people: never with the password. */
export function placeOf({ hosts }: RedisAddress): string {
  return hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
}

function hostOf(place: string): RedisAddress['hosts'][number] {
  const url = `redis://${place.trim()}`;
  if (!URL.canParse(url)) throw malformed();
  const { hostname, port } = new URL(url);
  if (hostname === '') throw malformed();
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? PORT : Number(port) };
}

function userOf(credentials: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (credentials === undefined) return { username: undefined, password: undefined };
  const [, username, password] = /^([^:]*):?(.*)$/.exec(credentials) ?? [];
  try {
    return {
      username: username ? decodeURIComponent(username) : undefined,
      password: password ? decodeURIComponent(password) : undefined,
    };
  } catch {
    throw malformed();
  }
}

function malformed(): Error {
  return new Error(
    'must be an address such as redis://:password@localhost:6379, or redis-cluster://host:6379,host:6379',
  );
}
