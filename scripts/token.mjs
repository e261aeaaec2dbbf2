/** `npm run token -- --user ada --grant 'board-*=write' --hours 8`: prints a token signed with AUTH_SECRET. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const built = join(import.meta.dirname, '../dist/apps/server/src/auth/token-cli.js');

try {
  if (!existsSync(built)) throw new Error('the server is not built yet: `npm start -- --build-only` builds it');
  const { tokenFor } = await import(pathToFileURL(built).href);
  console.log(await tokenFor(process.argv.slice(2), process.env.AUTH_SECRET));
} catch (error) {
  console.error(`token: ${error.message}`);
  process.exitCode = 1;
}
