import type postgres from 'postgres';
import { StartRefused } from './start-refused.js';

type Address = postgres.Options<{ bigint: postgres.PostgresType<number> }>;

/**
 * The address as the driver wants it. A Unix socket is written as libpq writes it, `postgres://user@/db?host=/folder`,
 * which the driver does not know. Whatever else stands behind the `?` is left to the driver.
 */
export function addressOf(url: string): { readonly url: string; readonly address: Address } {
  const parsed = parse(url);
  const folder = parsed.searchParams.get('host');
  if (folder === null) return { url, address: {} };
  parsed.searchParams.delete('host');
  const port = parsed.searchParams.get('port') ?? (parsed.port || '5432');
  parsed.searchParams.delete('port');
  if (parsed.hostname === '') parsed.hostname = 'localhost';
  return {
    url: parsed.href,
    address: folder.startsWith('/') ? { path: `${folder}/.s.PGSQL.${port}` } : { host: folder, port: Number(port) },
  };
}

/** Where a url leads, to be shown to people: never with the password. */
export function placeOf(url: string): string {
  const parsed = parse(url);
  const host = parsed.searchParams.get('host') ?? (parsed.hostname || 'localhost');
  const port = parsed.searchParams.get('port') ?? (parsed.port || '5432');
  return `${host}:${port}`;
}

export function userOf(url: string): string {
  return decodeURIComponent(parse(url).username) || '(none given)';
}

export function databaseOf(url: string): string {
  return decodeURIComponent(parse(url).pathname.slice(1)) || '(none given)';
}

function parse(url: string): URL {
  if (!/^postgres(ql)?:\/\//.test(url)) throw new StartRefused(MALFORMED);
  try {
    // A url without a host (`postgres://user@/db`) is common for Unix sockets, but not a URL to the parser.
    return new URL(url.replace(/^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?=[/?#])/, '$1localhost'));
  } catch {
    throw new StartRefused(MALFORMED);
  }
}

const MALFORMED = 'DATABASE_URL is not a database address: write it as postgres://user:password@host:5432/database';
