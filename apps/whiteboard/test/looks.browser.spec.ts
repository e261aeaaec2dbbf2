import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBoard, Studio } from './studio.js';

const LONG_MS = 120_000;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

let studio: Studio;

beforeAll(async () => {
  studio = await Studio.open();
}, LONG_MS);
afterAll(() => studio?.close());

it(
  'from the home page to a new board and back to it, with a name of one’s own and a link to give away',
  async () => {
    const ada = await studio.person('Ada');
    const { page } = ada;
    await page.goto(studio.server.url);
    await page.getByText('Nothing here yet').waitFor();
    await page.getByLabel('Your name').fill('Ada L.');
    await page.getByRole('link', { name: 'New board' }).click();
    await ada.ready();
    await ada.draw('r', [300, 200], [480, 320]);
    await ada.chipSays('Saved');
    const address = page.url();
    await page.getByTestId('main-menu-trigger').click();
    await page.getByRole('button', { name: 'Copy link' }).click();
    await page.locator('.Toast', { hasText: 'copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(address);
    const pictures = () => page.evaluate(() => localStorage.getItem('homeport.boards')?.includes('data:image/'));
    await expect.poll(pictures, { timeout: 30_000 }).toBe(true);
    await page.goto(studio.server.url);
    const card = page.locator('.home__card');
    expect(await card.count()).toBe(1);
    await card.hover();
    await card.getByRole('button', { name: 'Copy link' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(address);
    await ada.picture('home');
    await card.getByRole('link').click();
    await ada.ready();
    expect(page.url()).toBe(address);
    await ada.sees('the rectangle', (scene) => scene.length === 1);
    await page.context().close();
  },
  LONG_MS,
);

it(
  'the chip tells node, position and latency',
  async () => {
    const ada = await studio.person('Ada');
    await ada.open(freshBoard());
    await ada.draw('p', [300, 200], [480, 320], [500, 210]);
    await ada.chipSays('Saved');
    await ada.page.getByTestId('status').click();
    const card = ada.page.getByRole('dialog', { name: 'Connection' });
    const facts = (await card.innerText()).replace(/\s+/g, ' ');
    expect(facts).toMatch(/Home \S+ Position \d+ Waiting nothing/);
    expect(facts).toMatch(/Saved within [\d.]+ m?s median [\d.]+ m?s/);
    expect(await card.locator('svg rect').count()).toBeGreaterThan(0);
    await ada.picture('chip');
    await ada.page.context().close();
  },
  LONG_MS,
);

it(
  'on a phone one can draw, and everything is within the screen',
  async () => {
    const ada = await studio.person('Ada', { ...PHONE, colorScheme: 'dark' });
    const { page } = ada;
    await page.goto(studio.server.url);
    await page.getByRole('link', { name: 'New board' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.viewport.width);
    await ada.picture('phone-home');
    await ada.open(freshBoard());
    for (const part of [page.getByTestId('status'), page.locator('.people'), page.getByTestId('main-menu-trigger')]) {
      const box = (await part.boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(PHONE.viewport.width);
      expect(box.y + box.height).toBeLessThanOrEqual(PHONE.viewport.height);
    }
    await ada.draw('r', [100, 300], [250, 420]);
    await ada.sees('the rectangle', (scene) => scene.length === 1);
    await ada.chipSays('Saved');
    await ada.picture('phone');
    await page.context().close();
  },
  LONG_MS,
);

it(
  'the page is dark where the system is, and stays as one has chosen',
  async () => {
    const ada = await studio.person('Ada', { colorScheme: 'dark' });
    const { page } = ada;
    await ada.open(freshBoard());
    const dark = () => page.locator('.excalidraw.theme--dark').count();
    expect(await dark()).toBe(1);
    await ada.picture('dark');
    await page.getByTestId('main-menu-trigger').click();
    await page.getByRole('radio', { name: /^Light mode/ }).check({ force: true });
    await expect.poll(dark).toBe(0);
    await ada.reload();
    expect(await dark()).toBe(0);
    await page.context().close();
  },
  LONG_MS,
);

it('nothing was requested from elsewhere, and no page had a fault', () => {
  expect(studio.foreign).toEqual([]);
  expect(studio.faults).toEqual([]);
});
