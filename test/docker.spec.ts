/**
 * `Dockerfile`, `docker-compose.yml` and `docker/haproxy.cfg` are read by programs that do not run here: what they say of
 * each other, and of the server, is held together.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { Config } from '../apps/server/src/config.js';

const ROOT = new URL('..', import.meta.url).pathname;
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: object;
}

/** What stands for `${NAME:-preset}` where nothing is set. */
const compose = load(read('docker-compose.yml').replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'), {
  schema: CORE_SCHEMA.withTags(mergeTag),
}) as {
  readonly services: Readonly<Record<string, Service>>;
};
const nodes = Object.entries(compose.services).filter(([name]) => name.startsWith('node-'));
const dockerfile = read('Dockerfile');
const haproxy = read('docker/haproxy.cfg');
const settings = (service: Service): Record<string, string> => ({ ...service.environment });

describe('docker-compose.yml', () => {
  it.each(nodes)('gives %s settings that the server takes, and a name that is its own', (name, service) => {
    const config = Config.read(settings(service));
    expect([config.nodeName, config.host]).toEqual([name, '0.0.0.0']);
    expect(new URL(config.redisUrl!).hostname).toBe('redis');
    expect(new URL(config.databaseUrl!).hostname).toBe('postgres');
    expect(Object.keys(service.depends_on!)).toEqual(['postgres', 'redis']);
  });

  it('lets guests draw at once, from the page of the load balancer', () => {
    const config = Config.read(settings(nodes[0]![1]));
    const grants = config.auth.kind === 'keys' ? config.auth.guestGrants : undefined;
    const patterns = Object.keys(grants!).map((pattern) => new RegExp(`^${pattern.replace('*', '.*')}$`));
    expect(patterns.some((pattern) => pattern.test('board-quiet-harbour-x4k9q2'))).toBe(true);
    expect(config.allowedOrigins).toContain(config.publicUrl!.origin);
    expect(compose.services['haproxy']!.ports).toEqual([`127.0.0.1:${config.publicUrl!.port}:3000`]);
  });

  it('grants a node the time that it needs to drain', () => {
    for (const [, { stop_grace_period: grace }] of nodes) expect(Number.parseInt(grace!, 10)).toBeGreaterThan(25);
  });

  it('mounts files that are there', () => {
    const files = Object.values(compose.services).flatMap(({ volumes }) => volumes ?? []);
    const mounted = files.filter((file) => file.startsWith('./')).map((file) => file.split(':', 1)[0]!);
    expect(mounted).toEqual(['./docker/haproxy.cfg']);
    expect(mounted.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

describe('docker/haproxy.cfg', () => {
  it('knows every node by its name, where it listens', () => {
    const servers = [...haproxy.matchAll(/^ *server (\S+) "\$\{\w+-(\S+)\}"$/gm)].map(([, name, place]) => [
      name,
      place,
    ]);
    expect(servers).toEqual(nodes.map(([name, service]) => [name, `${name}:${settings(service)['PORT']}`]));
  });
});

describe('the Dockerfile', () => {
  const command = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)![1]!) as string[];

  it('runs what npm start runs, with the same flags', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
    const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'));
    expect(command.slice(0, -1)).toEqual(['node', ...flags]);
    expect(read('scripts/start.mjs')).toContain(`'${command.at(-1)}'`);
  });

  it('listens where the load balancer asks, as nobody special, and is told to stop by the signal that it drains at', () => {
    const port = Config.read({}).port;
    expect(dockerfile).toMatch(new RegExp(`^ENV .*PORT=${port}$`, 'm'));
    expect(dockerfile).toMatch(new RegExp(`^EXPOSE ${port}$`, 'm'));
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^STOPSIGNAL SIGTERM$/m);
  });

  it('leaves out what only the building needs, and the embedded Postgres', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).not.toMatch(/COPY \. |RUN /);
    expect(last).toMatch(/COPY --from=production \S+node_modules /);
    expect(dockerfile).toMatch(/--omit=dev --omit=optional$/m);
  });

  it('copies what is there', () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) => files!.split(' '));
    expect(sources.length).toBeGreaterThan(3);
    expect(sources.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});
