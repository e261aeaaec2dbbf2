import { expect, it } from 'vitest';
import { SOON_MS, Studio } from './studio.js';

const LONG_MS = 120_000;

it(
  'the counter of the README counts for two people at once, and every click once',
  async () => {
    const studio = await Studio.open();
    try {
      const pages = [(await studio.person('Ada')).page, (await studio.person('Bob')).page];
      const buttons = pages.map((page) => page.locator('#count'));
      const allSay = async (words: string): Promise<void> => {
        for (const button of buttons)
          await expect.poll(() => button.innerText(), { timeout: SOON_MS, message: 'a count' }).toBe(words);
      };
      for (const page of pages) await page.goto(`${studio.server.url}/counter.html`);
      await allSay('0');
      await Promise.all(buttons.flatMap((button) => [button.click(), button.click(), button.click()]));
      await allSay('6');
      expect([studio.faults, studio.foreign]).toEqual([[], []]);
    } finally {
      await studio.close();
    }
  },
  LONG_MS,
);
