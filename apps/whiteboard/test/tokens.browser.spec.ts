import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBoard, Studio } from './studio.js';

const LONG_MS = 120_000;
const AUTH_SECRET = 'a secret for tests that is long enough to be one';

let closed: Studio;

beforeAll(async () => {
  closed = await Studio.open({ env: { AUTH_SECRET } });
}, LONG_MS);
afterAll(() => closed?.close());

function token(...grants: readonly string[]): string {
  const args = ['scripts/token.mjs', '--user', 'ada', ...grants.flatMap((grant) => ['--grant', grant])];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    env: { ...process.env, AUTH_SECRET },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

it(
  'without a token the page says that one is needed and how to make it; one that is pasted lets in',
  async () => {
    const board = freshBoard();
    const { page } = await closed.person('Ada');
    await page.goto(`${closed.server.url}/board/${board}`);
    await page.getByText('A token, please').waitFor({ timeout: 30_000 });
    expect(await page.locator('main').innerText()).toContain(
      "npm run token -- --user ada --grant 'board-*=write' --hours 8",
    );
    await page.getByLabel('Token').fill(token('board-*=write'));
    await page.getByRole('button', { name: 'Enter' }).click();
    await expect.poll(() => page.getByTestId('status').innerText(), { timeout: 30_000 }).toBe('Saved');
    await page.context().close();
  },
  LONG_MS,
);

it(
  'a token in the fragment is taken, kept for the tab, and leaves the address bar',
  async () => {
    const board = freshBoard();
    const ada = await closed.person('Ada');
    const own = token('board-*=write');
    await ada.page.goto(`${closed.server.url}/board/${board}#token=${own}`);
    await ada.ready();
    expect(ada.page.url()).toBe(`${closed.server.url}/board/${board}`);
    await ada.draw('r', [300, 200], [480, 320]);
    await ada.chipSays('Saved');
    await ada.reload();
    await ada.sees('the rectangle', (scene) => scene.length === 1);
    const response = await fetch(`${closed.server.url}/v1/documents/${board}`, {
      headers: { authorization: `Bearer ${own}` },
    });
    expect(Object.keys(((await response.json()) as { records: object }).records)).toHaveLength(1);
    await ada.page.context().close();
  },
  LONG_MS,
);

it(
  'who may only read sees the board and can not draw; who may not, is told',
  async () => {
    const board = freshBoard();
    const ada = await closed.person('Ada');
    await ada.page.goto(`${closed.server.url}/board/${board}#token=${token('board-*=read')}`);
    await ada.ready();
    await ada.chipSays('Read only');
    expect(await ada.page.getByTestId('toolbar-rectangle').count()).toBe(0);
    await ada.draw('r', [300, 200], [480, 320]);
    expect(await ada.scene()).toEqual([]);
    await ada.picture('read-only');
    // The page loads itself anew when its fragment brings another token.
    await ada.page.goto(`${closed.server.url}/board/${board}#token=${token('other-*=write')}`);
    await ada.page.getByText('This board stays closed').waitFor({ timeout: 30_000 });
    await ada.page.context().close();
  },
  LONG_MS,
);

it(
  'a token that is not taken is said to be refused',
  async () => {
    const { page } = await closed.person('Ada');
    await page.goto(`${closed.server.url}/board/${freshBoard()}#token=nonsense`);
    await page.getByText('does not take your token').waitFor({ timeout: 30_000 });
    await page.context().close();
  },
  LONG_MS,
);

it(
  'guests are let in where the server allows it',
  async () => {
    const studio = await Studio.open({ env: { AUTH_SECRET, GUEST_GRANTS: '{"board-*":"write"}' } });
    try {
      const guest = await studio.person('Guest');
      await guest.open(freshBoard());
      await guest.draw('r', [300, 200], [480, 320]);
      await guest.chipSays('Saved');
      expect(studio.foreign).toEqual([]);
    } finally {
      await studio.close();
    }
  },
  LONG_MS,
);

it('nothing was requested from elsewhere, and no page had a fault', () => {
  expect(closed.foreign).toEqual([]);
  expect(closed.faults).toEqual([]);
});
