import { parseArgs } from 'node:util';
import type { Access } from '@homeport/protocol';
import { issueToken } from './authenticator.js';
import { isAccess, isPattern } from './grants.js';
import { isUserId } from './user-id.js';

const HELP = `Prints a token for Homeport, signed with AUTH_SECRET.

Usage: AUTH_SECRET=… npm run token -- --user ada --grant 'board-*=write' [--grant 'news=read'] [--hours 8]

  --user <name>             who the bearer is
  --grant <pattern>=<right> documents and what may be done with them: read or write; * matches any characters
  --hours <number>          how long the token is good for [8]`;

const HOURS_MAX = 24 * 365;

/** What `npm run token` prints: a token, or the help. Rejects with an Error whose message says what to type. */
export async function tokenFor(args: readonly string[], secret: string | undefined): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      user: { type: 'string' },
      grant: { type: 'string', multiple: true },
      hours: { type: 'string', default: '8' },
    },
  });
  if (values.help) return HELP;
  if (secret === undefined || secret.length < 32)
    throw new Error('AUTH_SECRET must be set to the secret of the server, at least 32 characters');
  const user = values.user;
  if (!isUserId(user)) throw new Error('--user must name the user, as in --user ada');
  const hours = Number(values.hours);
  if (!(hours > 0 && hours <= HOURS_MAX))
    throw new Error(`--hours must be a number up to ${HOURS_MAX}, not "${values.hours}"`);
  const grants: Record<string, Access> = {};
  for (const grant of values.grant ?? []) {
    const at = grant.lastIndexOf('=');
    const pattern = grant.slice(0, at);
    const access = grant.slice(at + 1);
    if (at < 1 || !isPattern(pattern) || !isAccess(access))
      throw new Error(`--grant must be a pattern and a right, as in --grant 'board-*=write', not "${grant}"`);
    grants[pattern] = access;
  }
  if (Object.keys(grants).length === 0)
    throw new Error("--grant must say what the user may do, as in --grant 'board-*=write'");
  return (await issueToken(secret, user, grants, hours * 3_600_000)).token;
}
