import { describe, expect, it } from 'vitest';
import { Authenticator } from './authenticator.js';
import { tokenFor } from './token-cli.js';

const SECRET = 'a secret of at least 32 characters';

describe('npm run token', () => {
  it('prints a token that the server takes', async () => {
    const token = await tokenFor(['--user', 'ada', '--grant', 'board-*=write', '--grant', 'news=read'], SECRET);
    const server = new Authenticator({ kind: 'keys', secret: SECRET, keyServer: undefined, guestGrants: undefined });
    const answer = await server.authenticate(token);
    if (!answer.ok) throw new Error(answer.message);
    expect([answer.identity.user, answer.identity.accessTo('board-1'), answer.identity.accessTo('news')]).toEqual([
      'ada',
      'write',
      'read',
    ]);
  });

  it('says how to use it', async () => {
    expect(await tokenFor(['--help'], undefined)).toMatch(/--grant/);
  });

  it.each([
    [['--user', 'ada', '--grant', '*=read'], undefined, /^AUTH_SECRET/],
    [['--grant', '*=read'], SECRET, /^--user/],
    [['--user', 'ada'], SECRET, /^--grant/],
    [['--user', 'ada', '--grant', 'board=own'], SECRET, /^--grant/],
    [['--user', 'ada', '--grant', '*=read', '--hours', 'soon'], SECRET, /^--hours/],
    [['--usr', 'ada'], SECRET, /--usr/],
  ])('refuses %j with a line that says what to type', async (args, secret, message) => {
    await expect(tokenFor(args, secret)).rejects.toThrow(message);
  });
});
