/** Packages below these versions have known holes that we would inherit. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const FLOORS = { 'socket.io': '4.8.3', 'engine.io': '6.6.9', 'socket.io-parser': '4.2.6', ws: '8.21.0' };

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, { version?: string }>;
};
const installed = Object.entries(lock.packages).map(([path, { version }]) => ({
  name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  version: version ?? '',
}));

it.each(Object.entries(FLOORS))('every %s in the lockfile is at least %s', (name, floor) => {
  const versions = installed.filter((item) => item.name === name).map((item) => item.version);
  expect(versions).not.toEqual([]);
  expect(versions.filter((version) => compare(version, floor) < 0)).toEqual([]);
});

it('there is one Socket.IO server, and Nest runs on Express', () => {
  const names = installed.map((item) => item.name);
  expect(names.filter((name) => name === 'socket.io')).toHaveLength(1);
  expect(names).not.toContain('@nestjs/platform-fastify');
});

/** Negative: `a` is older than `b`. A pre-release counts as older than its release. */
function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('-')[0]!.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = left![i]! - right![i]!;
    if (difference !== 0) return difference;
  }
  return Number(!a.includes('-')) - Number(!b.includes('-'));
}
