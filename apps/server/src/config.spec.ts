import { describe, expect, it } from 'vitest';
import { Config, help } from './config.js';

const SECRET = 'a secret of at least 32 characters';

describe('Config', () => {
  it('needs nothing to run on a laptop', () => {
    const config = Config.read({});
    expect(config.port).toBe(3000);
    expect(config.host).toBe('127.0.0.1');
    expect(config.auth).toEqual({ kind: 'open' });
    expect(config.databaseUrl).toBeUndefined();
    expect(config.logRetentionMs).toBeUndefined();
  });

  it('takes an empty value for none, as compose files pass it', () => {
    expect(Config.read({ PORT: '', DATABASE_URL: ' ' })).toEqual(Config.read({}));
  });

  it('reads what is set', () => {
    const config = Config.read({
      PORT: '0',
      DATABASE_URL: 'postgres://ada:pw@db:5432/boards',
      AUTH_SECRET: SECRET,
      GUEST_GRANTS: '{"board-*":"write","news":"read"}',
      ALLOWED_ORIGINS: 'https://a.example, http://localhost:5173',
      LOG_RETENTION: '90d',
      MEMORY_BUDGET_MB: '64',
      RATE_CONNECTIONS: '50',
    });
    expect(config.port).toBe(0);
    expect(config.allowedOrigins).toEqual(['https://a.example', 'http://localhost:5173']);
    expect(config.logRetentionMs).toBe(90 * 86_400_000);
    expect(config.memoryBudgetBytes).toBe(64 * 1024 * 1024);
    expect(config.doorRates.connections).toBe(50);
    expect(config.auth).toMatchObject({ kind: 'keys', guestGrants: { 'board-*': 'write', news: 'read' } });
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', '3e3'],
    ['PUBLIC_URL', 'boards.example.com'],
    ['NODE_NAME', 'a b'],
    ['DATABASE_URL', 'mysql://localhost/db'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'redis://one:6379,two:6379'],
    ['AUTH_SECRET', 'short'],
    ['AUTH_JWKS_URL', 'http://id.example.com/keys'],
    ['AUTH_ISSUER', 'https://id.example.com'],
    ['AUTH_AUDIENCE', 'homeport'],
    ['ALLOW_OPEN', 'yes'],
    ['GUEST_GRANTS', '{"*":"everything"}'],
    ['GUEST_GRANTS', '{"*":"read"}'],
    ['ADMIN_TOKEN', 'short'],
    ['ADMIN_TOKEN', 'a token with spaces in it'],
    ['ALLOWED_ORIGINS', 'https://a.example/'],
    ['ALLOWED_ORIGINS', '*'],
    ['LOG_RETENTION', '0d'],
    ['MEMORY_BUDGET_MB', '1'],
    ['RATE_PUSHES_PER_SOCKET', '-1'],
    ['RATE_CONNECTIONS', '0'],
    ['RATE_GUESTS_PER_ADDRESS', 'many'],
    ['LEASE_TTL_MS', '10'],
    ['FORCE_TAKEOVER', '1'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s with one line that names the variable', (name, value) => {
    expect(() => Config.read({ [name]: value })).toThrow(new RegExp(`^${name} [^\n]+$`));
  });

  it('does not repeat an address which may hold a password', () => {
    expect(() => Config.read({ DATABASE_URL: 'postgres:ada:hunter2@db' })).toThrow(/^(?!.*hunter2)/);
    expect(() => Config.read({ REDIS_URL: 'redis:ada:hunter2@db' })).toThrow(/^(?!.*hunter2)/);
  });

  it('takes a Redis, or a Redis Cluster, and the secret of tokens for that of the cluster', () => {
    expect(Config.read({}).redisUrl).toBeUndefined();
    for (const url of ['redis://:pw@cache:6379/0', 'rediss://cache', 'redis-cluster://one:7000,two:7000'])
      expect(Config.read({ REDIS_URL: url, DATABASE_URL: 'postgres://db' }).redisUrl).toBe(url);
    expect(() => Config.read({ REDIS_URL: 'redis://cache' })).toThrow(/^REDIS_URL .*DATABASE_URL/);
    expect(Config.read({ AUTH_SECRET: SECRET }).clusterSecret).toBe(SECRET);
  });

  it('opens to other machines only when told so', () => {
    expect(() => Config.read({ HOST: '0.0.0.0' })).toThrow(/^HOST .*AUTH_SECRET.*ALLOW_OPEN=true/);
    expect(Config.read({ HOST: '0.0.0.0', ALLOW_OPEN: 'true' }).auth.kind).toBe('open');
    expect(Config.read({ HOST: '0.0.0.0', AUTH_SECRET: SECRET }).auth.kind).toBe('keys');
  });

  it('refuses settings that contradict each other', () => {
    expect(() => Config.read({ ALLOW_OPEN: 'true', AUTH_SECRET: SECRET })).toThrow(/^ALLOW_OPEN /);
    expect(() => Config.read({ GUEST_GRANTS: '{"*":"read"}', AUTH_JWKS_URL: 'https://id.example/keys' })).toThrow(
      /^GUEST_GRANTS needs AUTH_SECRET/,
    );
  });

  it('explains every setting', () => {
    for (const name of ['PORT', 'DATABASE_URL', 'AUTH_SECRET', 'GUEST_GRANTS', 'LOG_RETENTION', 'FORCE_TAKEOVER'])
      expect(help()).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
  });
});
