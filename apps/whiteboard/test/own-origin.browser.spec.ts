import { readFile } from 'node:fs/promises';
import { createClient } from '@homeport/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBoard, Studio, type Painter } from './studio.js';

const LONG_MS = 120_000;
/** As Excalidraw numbers those that it offers. */
const OFFERED = { Excalifont: 5, 'Comic Shanns': 8, 'Lilita One': 7, Nunito: 6 };

/** Those of older drawings, which nobody can choose any more. */
const OLDER = { Virgil: 1, Cascadia: 3, 'Liberation Sans': 9 };

let board: string;
let studio: Studio;
let ada: Painter;

beforeAll(async () => {
  studio = await Studio.open();
  ada = await studio.person('Ada');
  board = freshBoard();
  await ada.open(board);
}, LONG_MS);
afterAll(() => studio?.close());

it(
  'typing in every font, Chinese, Japanese and Korean too, asks nobody else for a font',
  async () => {
    const { page } = ada;
    for (const [i, font] of Object.values(OFFERED).entries()) {
      await ada.write('Ahoj, 世界 かな 한글 ✓', [400, 150 + 70 * i]);
      await page.getByTestId('font-family-show-fonts').click();
      await page.locator(`.properties-content button[value="${font}"]`).click();
      await page.keyboard.press('Escape');
      await page.locator('.properties-content').waitFor({ state: 'detached' });
      await page.mouse.click(1_000, 700);
    }
    await ada.sees('a text in each font', (scene) => {
      const used = scene.map((element) => (element.type === 'text' ? element.fontFamily : 0));
      return Object.values(OFFERED).every((font) => used.some((one) => one === font));
    });
    await showOlderFonts();
    await expect
      .poll(
        () =>
          page.evaluate(() =>
            [...document.fonts]
              .filter(({ status }) => status === 'loaded')
              .map(({ family }) => family.replaceAll('"', '')),
          ),
        {
          timeout: 30_000,
        },
      )
      .toEqual(expect.arrayContaining([...Object.keys(OFFERED), ...Object.keys(OLDER), 'Xiaolai']));
    await ada.picture('fonts');
  },
  LONG_MS,
);

it(
  'PNG and SVG of all of it are exported offline, with the fonts in them',
  async () => {
    const { page } = ada;
    await ada.chipSays('Saved');
    await page.keyboard.press('Escape');
    await page.context().setOffline(true);
    await ada.chipSays(/^Offline/);
    for (const [kind, begins] of [
      ['PNG', '\x89PNG'],
      ['SVG', '<svg'],
    ] as const) {
      await page.getByTestId('main-menu-trigger').click();
      await page.getByTestId('image-export-button').click();
      const download = page.waitForEvent('download', { timeout: 30_000 });
      await page.getByRole('button', { name: `Export to ${kind}` }).click();
      const file = await readFile(await (await download).path());
      expect(file.toString('latin1').trimStart().slice(0, begins.length)).toBe(begins);
      if (kind === 'SVG') {
        expect(file.toString()).toContain('世界');
        expect(file.toString()).toMatch(/@font-face \{[^}]*Xiaolai[^}]*url\(data:font\/woff2;base64,/);
      }
      await page.mouse.click(20, 600);
      await page.locator('.ImageExportModal').waitFor({ state: 'detached' });
    }
    await page.context().setOffline(false);
    await ada.chipSays('Saved');
  },
  LONG_MS,
);

it(
  'the menu, the library and the help lead nowhere else, and nothing in them replaces the board',
  async () => {
    const { page } = ada;
    await page.getByTestId('main-menu-trigger').click();
    const entries = (await page.locator('.dropdown-menu').innerText()).toLowerCase();
    for (const entry of ['copy link', 'all boards', 'export image']) expect(entries).toContain(entry);
    for (const gone of ['open', 'reset', 'github', 'discord', 'follow us', 'browse'])
      expect(entries).not.toContain(gone);
    await page.keyboard.press('Escape');

    await page.locator('.sidebar-trigger').click();
    await page.locator('.layer-ui__library').waitFor();
    await expectNoWayOut();
    await page.keyboard.press('Escape');

    await page.getByTestId('main-menu-trigger').click();
    await page.getByTestId('help-menu-item').click();
    await page.locator('.HelpDialog').waitFor();
    await expectNoWayOut();
    await page.keyboard.press('Escape');
    const before = await ada.scene();
    await page.keyboard.press('Control+Delete');
    await ada.frames(5);
    expect(await ada.scene()).toHaveLength(before.length);
  },
  LONG_MS,
);

it('nothing was requested from elsewhere, and no page had a fault', () => {
  expect(studio.foreign).toEqual([]);
  expect(studio.faults).toEqual([]);
});

async function showOlderFonts(): Promise<void> {
  const client = createClient({ url: studio.server.url });
  const document = await client.open(board);
  for (const fontFamily of Object.values(OLDER)) {
    const words = { text: 'Ahoj 世界', originalText: 'Ahoj 世界', fontSize: 20, lineHeight: 1.25, fontFamily };
    const place = { x: 500, y: 300 + 30 * fontFamily, width: 100, height: 25, index: `b0${fontFamily}` };
    await document.put(`element:font-${fontFamily}`, { type: 'text', ...words, ...place });
  }
  client.close();
}

async function expectNoWayOut(): Promise<void> {
  const links = await ada.page.evaluate(() =>
    [...document.querySelectorAll('a')].filter((link) => link.offsetParent !== null).map((link) => link.href),
  );
  expect(links.filter((link) => !link.startsWith(studio.server.url))).toEqual([]);
}
