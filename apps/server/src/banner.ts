import { relative } from 'node:path';
import type { Home } from './node/home.js';

/** What a person wants to know after a start. The first line is also what scripts wait for. */
export function banner({ address, config }: Home): string {
  return [
    `Homeport is ready at ${address.url}`,
    '',
    `  who   ${whoMayCome(config)}`,
    `  data  ${whereDataLives(config)}`,
    `  http  ${address.url}/docs`,
    `  pid   ${process.pid}`,
    '',
  ].join('\n');
}

function whoMayCome({ auth }: Home['config']): string {
  switch (auth.kind) {
    case 'open':
      return 'OPEN, for development: everybody who can reach this address may read and write everything';
    case 'keys':
      return auth.guestGrants ? 'bearers of a token, and guests' : 'bearers of a token (npm run token)';
  }
}

function whereDataLives({ databaseUrl, dataDir }: Home['config']): string {
  if (databaseUrl !== undefined) return 'the Postgres of DATABASE_URL';
  const path = relative('', dataDir);
  return `${path.startsWith('..') ? dataDir : path} (an embedded Postgres)`;
}
