/**
 * The settings: every one stands here, with its default and what it means, and the environment is read here only.
 *
 * A wrong value stops the start with one line that names the variable. `--help` prints this table.
 */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Grants } from '@homeport/core';
import { StartRefused } from '@homeport/postgres';
import { readRedisAddress } from '@homeport/redis';
import { isAccessGrants } from './auth/grants.js';
import type { DoorRates } from './door/door.js';

interface Setting<T> {
  readonly preset: string | undefined;
  readonly says: string;
  /** Throws an Error whose message continues "<NAME> …". */
  readonly read: (text: string) => T;
}

const rate = wholeNumber(1, 1_000_000);

const SETTINGS = {
  PORT: set('3000', 'port to listen on; 0 takes a free one', wholeNumber(0, 65_535)),
  HOST: set('127.0.0.1', 'address to listen on', (text) => text),
  PUBLIC_URL: maybe('where clients reach this node (default: http://localhost:<PORT>)', httpUrl),
  NODE_NAME: set(
    hostname().replace(/[^A-Za-z0-9-]/g, '-') || 'node',
    'name of this node, the same after a restart',
    nodeName,
  ),
  DATABASE_URL: maybe('the Postgres to use (default: an embedded one in DATA_DIR)', postgresUrl),
  DATA_DIR: set('.homeport', 'folder of the embedded Postgres', (text) => resolve(text)),
  FORCE_TAKEOVER: set(
    'false',
    'true: start beside a node that still lives on this database; it is fenced and exits',
    yesOrNo,
  ),
  REDIS_URL: maybe('the Redis of a cluster: redis://… or redis-cluster://… (default: none, one node)', redisUrl),
  PROOF_OF_DEATH: set(
    'true',
    'false: wait for the lease of a node also where its process is known to have ended',
    yesOrNo,
  ),
  AUTH_SECRET: maybe('secret of HS256 tokens, at least 32 characters', secret),
  AUTH_JWKS_URL: maybe('where the public keys of tokens are', jwksUrl),
  AUTH_ISSUER: maybe('the `iss` that tokens of AUTH_JWKS_URL must have', (text) => text),
  AUTH_AUDIENCE: maybe('the `aud` that tokens of AUTH_JWKS_URL must have', (text) => text),
  ALLOW_OPEN: set('false', 'true: without keys, let everybody in from other machines too', yesOrNo),
  GUEST_GRANTS: maybe('what guests without a token may do, as {"board-*":"write"}; needs AUTH_SECRET', grants),
  ADMIN_TOKEN: maybe(
    'bearer token for /metrics, /cluster and /v1/revocations, at least 16 characters (default: loopback only)',
    bearerToken,
  ),
  ALLOWED_ORIGINS: maybe('origins of pages that may connect, separated by commas (default: our own)', origins),
  LOG_RETENTION: set('all', 'how long the log of changes is kept: all, or as 90d, 12h', retention),
  MEMORY_BUDGET_MB: set('512', 'documents in memory; idle ones leave it first', wholeNumber(16, 1_048_576)),
  RATE_PUSHES_PER_SOCKET: set('2000', 'pushes per second of one socket', rate),
  RATE_REQUESTS_PER_USER: set('2000', 'HTTP requests per second of one user', rate),
  RATE_REQUESTS_PER_ADDRESS: set('4000', 'HTTP requests per second from one address', rate),
  RATE_GUESTS_PER_ADDRESS: set('50', 'tokens for guests per second to one address', rate),
  RATE_CONNECTIONS: set('4000', 'sockets let in per second', rate),
  RATE_CONNECTIONS_PER_ADDRESS: set('2000', 'sockets let in per second from one address', rate),
  LEASE_TTL_MS: set('3000', 'for how long a silent node is taken to live', wholeNumber(500, 60_000)),
  LOG_LEVEL: set('info', 'trace, debug, info, warn, error or silent', logLevel),
} as const;

type Values = { readonly [Name in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Name]['read']> };

/** Who is let in: everybody (development), or bearers of tokens made with these keys, and guests if they are granted something. */
export type AuthSettings =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'keys';
      readonly secret: string | undefined;
      readonly keyServer: KeyServer | undefined;
      readonly guestGrants: Grants | undefined;
    };

/** Who publishes the keys of tokens, and what its tokens must say, where that is asked for: it may serve others too. */
export interface KeyServer {
  readonly url: URL;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

export class Config {
  private constructor(
    private readonly values: Values,
    readonly auth: AuthSettings,
  ) {}

  /** Throws `StartRefused`. An empty value is no value. */
  static read(environment: Readonly<Record<string, string | undefined>>): Config {
    const values = Object.fromEntries(
      Object.entries(SETTINGS).map(([name, setting]) => {
        const text = environment[name]?.trim() || setting.preset;
        try {
          return [name, text === undefined ? undefined : setting.read(text)];
        } catch (error) {
          throw new StartRefused(`${name} ${error instanceof Error ? error.message : 'is wrong'}`);
        }
      }),
    ) as Values;
    if (values.REDIS_URL !== undefined && values.FORCE_TAKEOVER)
      throw new StartRefused('FORCE_TAKEOVER is for a node that serves alone: unset it, or REDIS_URL');
    if (values.REDIS_URL !== undefined && values.DATABASE_URL === undefined)
      throw new StartRefused('REDIS_URL is for nodes that share a database: set DATABASE_URL too');
    return new Config(values, authOf(values));
  }

  get port(): number {
    return this.values.PORT;
  }
  get host(): string {
    return this.values.HOST;
  }
  get publicUrl(): URL | undefined {
    return this.values.PUBLIC_URL;
  }
  get nodeName(): string {
    return this.values.NODE_NAME;
  }
  get databaseUrl(): string | undefined {
    return this.values.DATABASE_URL;
  }
  get proofOfDeath(): boolean {
    return this.values.PROOF_OF_DEATH;
  }
  get dataDir(): string {
    return this.values.DATA_DIR;
  }
  get forceTakeover(): boolean {
    return this.values.FORCE_TAKEOVER;
  }
  /** Undefined: this node is alone. */
  get redisUrl(): string | undefined {
    return this.values.REDIS_URL;
  }
  /** What only the nodes of this cluster know; the key of their messages is made of it (`clusterKey`). */
  get clusterSecret(): string | undefined {
    return this.values.AUTH_SECRET;
  }
  get adminToken(): string | undefined {
    return this.values.ADMIN_TOKEN;
  }
  get allowedOrigins(): readonly string[] | undefined {
    return this.values.ALLOWED_ORIGINS;
  }
  /** Undefined: everything is kept. */
  get logRetentionMs(): number | undefined {
    return this.values.LOG_RETENTION;
  }
  get memoryBudgetBytes(): number {
    return this.values.MEMORY_BUDGET_MB * 1024 * 1024;
  }
  get pushesPerSecondPerSocket(): number {
    return this.values.RATE_PUSHES_PER_SOCKET;
  }
  get doorRates(): DoorRates {
    return {
      connections: this.values.RATE_CONNECTIONS,
      connectionsPerAddress: this.values.RATE_CONNECTIONS_PER_ADDRESS,
      requestsPerAddress: this.values.RATE_REQUESTS_PER_ADDRESS,
      requestsPerUser: this.values.RATE_REQUESTS_PER_USER,
      guestsPerAddress: this.values.RATE_GUESTS_PER_ADDRESS,
    };
  }
  get leaseTtlMs(): number {
    return this.values.LEASE_TTL_MS;
  }
  get logLevel(): LogLevel {
    return this.values.LOG_LEVEL;
  }
}

/** The text of `--help`. */
export function help(): string {
  const lines = Object.entries(SETTINGS).map(([name, { preset, says }]) => {
    const value = preset === undefined ? '' : ` [${preset}]`;
    return `  ${name.padEnd(30)}${says}${value}`;
  });
  return [
    'Homeport: a real-time collaboration server.',
    '',
    'Usage: npm start [-- --help]',
    '',
    'Settings, from the environment [default]:',
    '',
    ...lines,
  ].join('\n');
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function authOf(values: Values): AuthSettings {
  const { AUTH_SECRET, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE, GUEST_GRANTS, ALLOW_OPEN, HOST } = values;
  if (AUTH_JWKS_URL === undefined && (AUTH_ISSUER ?? AUTH_AUDIENCE) !== undefined)
    throw new StartRefused(
      `${AUTH_ISSUER === undefined ? 'AUTH_AUDIENCE' : 'AUTH_ISSUER'} needs AUTH_JWKS_URL, whose tokens it is asked of`,
    );
  if (GUEST_GRANTS !== undefined && AUTH_SECRET === undefined)
    throw new StartRefused('GUEST_GRANTS needs AUTH_SECRET, with which the tokens of guests are signed');
  if (AUTH_SECRET !== undefined || AUTH_JWKS_URL !== undefined) {
    if (ALLOW_OPEN)
      throw new StartRefused('ALLOW_OPEN lets everybody in, AUTH_SECRET and AUTH_JWKS_URL do not: unset one');
    return {
      kind: 'keys',
      secret: AUTH_SECRET,
      keyServer: AUTH_JWKS_URL && { url: AUTH_JWKS_URL, issuer: AUTH_ISSUER, audience: AUTH_AUDIENCE },
      guestGrants: GUEST_GRANTS,
    };
  }
  if (!isLoopback(HOST) && !ALLOW_OPEN)
    throw new StartRefused(
      `HOST ${HOST} can be reached from other machines, and nothing says who may come in: set AUTH_SECRET or AUTH_JWKS_URL (or ALLOW_OPEN=true to let everybody write)`,
    );
  return { kind: 'open' };
}

function set<T>(preset: string, says: string, read: (text: string) => T): Setting<T> {
  return { preset, says, read };
}

/** A setting without a default: undefined where it is not set. */
function maybe<T>(says: string, read: (text: string) => T): Setting<T | undefined> {
  return { preset: undefined, says, read };
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}, not "${text}"`);
    return value;
  };
}

function yesOrNo(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error(`must be true or false, not "${text}"`);
  return text === 'true';
}

function url(text: string, protocols: readonly string[], example: string): URL {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (!parsed || !protocols.includes(parsed.protocol) || parsed.hostname === '')
    throw new Error(`must be an address such as ${example}`);
  return parsed;
}

function httpUrl(text: string): URL {
  return url(text, ['http:', 'https:'], 'https://boards.example.com');
}

/** The rest of it is judged by who connects. The value may hold a password: it is not repeated. */
function postgresUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//.test(text))
    throw new Error('must be an address such as postgres://user:password@localhost:5432/homeport');
  return text;
}

/** The value may hold a password: it is not repeated. */
function redisUrl(text: string): string {
  readRedisAddress(text);
  return text;
}

/** Keys fetched in the clear could be anybody's. */
function jwksUrl(text: string): URL {
  const parsed = url(text, ['http:', 'https:'], 'https://id.example.com/.well-known/jwks.json');
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname)) throw new Error('must be an https address');
  return parsed;
}

function nodeName(text: string): string {
  if (!/^[A-Za-z0-9-]{1,63}$/.test(text)) throw new Error('must be 1 to 63 of A-Z a-z 0-9 -');
  return text;
}

function secret(text: string): string {
  if (text.length < 32) throw new Error('must have at least 32 characters (`openssl rand -base64 32` makes one)');
  return text;
}

function bearerToken(text: string): string {
  if (!/^[\x21-\x7e]{16,}$/.test(text)) throw new Error('must have at least 16 printable characters and no space');
  return text;
}

function grants(text: string): Grants {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isAccessGrants(value)) throw new Error('must be JSON such as {"board-*":"write","news":"read"}');
  return value;
}

function origins(text: string): readonly string[] {
  return text.split(',').map((part) => {
    const origin = part.trim();
    const parsed = URL.canParse(origin) ? new URL(origin) : undefined;
    if (!parsed || parsed.origin !== origin)
      throw new Error(`must hold origins such as https://app.example.com, not "${origin}"`);
    return origin;
  });
}

function retention(text: string): number | undefined {
  if (text === 'all') return undefined;
  const [, count, unit] = /^([1-9]\d{0,5})([hd])$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`must be all, or hours or days such as 12h or 90d, not "${text}"`);
  return Number(count) * (unit === 'd' ? 86_400_000 : 3_600_000);
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) throw new Error(`must be one of ${LOG_LEVELS.join(', ')}, not "${text}"`);
  return level;
}
