import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { renderComparePage } from '../src/page/compare-page.js';
import { renderPage } from '../src/page/page.js';
import { Reader } from './reader.js';
import { hostileCompare, sampleCompare } from './sample-compare.js';
import { badResult, hostileResult, sampleResult } from './sample-result.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let reader: Reader;

beforeAll(async () => {
  reader = await Reader.start();
});
afterAll(() => reader?.stop());

/** Of every plot, the lines whose colour is not among what was painted. */
async function undrawn(page: Page): Promise<string[]> {
  return page.locator('.plot').evaluateAll((plots) =>
    plots.flatMap((plot) => {
      const canvas = plot.querySelector('canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const isPainted = (colour: readonly number[]): boolean => {
        for (let at = 0; at < data.length; at += 4)
          if (data[at + 3] > 200 && colour.every((part, i) => Math.abs(data[at + i] - part) < 12)) return true;
        return false;
      };
      const names = [...plot.querySelectorAll('.u-series')].slice(1);
      if (names.length === 0) return [`${plot.innerText}: no lines`];
      return names.flatMap((name) => {
        const { borderTopColor } = name.ownerDocument.defaultView.getComputedStyle(name.querySelector('.u-marker'));
        const colour = borderTopColor
          .match(/[\d.]+/g)
          .slice(0, 3)
          .map(Number);
        const scaled = borderTopColor.startsWith('color(') ? colour.map((part: number) => part * 255) : colour;
        return isPainted(scaled) ? [] : [`${plot.querySelector('h2').innerText}: ${name.innerText} ${borderTopColor}`];
      });
    }),
  );
}

const titles = (page: Page) => page.locator('.plot h2').allInnerTexts();

for (const colorScheme of ['light', 'dark'] as const)
  it(`shows a run with all its plots, where the system is ${colorScheme}`, async () => {
    const page = await reader.open(`run-${colorScheme}`, renderPage(sampleResult()), { colorScheme });
    expect(await titles(page)).toEqual([
      ...['Throughput', 'Latency', 'Ownership', 'Errors', 'Latency of push', 'Latency of read', 'Latency of deliver'],
      ...['CPU', 'Memory', 'Event loop lag'],
    ]);
    expect(await undrawn(page)).toEqual([]);
    await reader.picture(page, `load-run-${colorScheme}`);
    await page.close();
  });

it('tells at once that a promise was broken, that the run was cut short, and what to doubt', async () => {
  const page = await reader.open('run-bad', renderPage(badResult()));
  const verdict = page.getByRole('region', { name: 'Verdict' });
  expect(await verdict.getByRole('heading').innerText()).toBe('3 violations');
  expect(await verdict.getByRole('listitem').allInnerTexts()).toEqual(
    badResult().verdict.violations.map(({ rule, document, says }) => `rule ${rule} ${document} ${says}`),
  );
  expect(await page.getByRole('region', { name: 'Cut short' }).innerText()).toContain('did not come back within 30 s');
  expect(await page.getByRole('region', { name: 'Warnings' }).getByRole('listitem').count()).toBe(2);
  for (const name of ['Verdict', 'Cut short', 'Warnings']) {
    const box = (await page.getByRole('region', { name }).boundingBox())!;
    expect(box.y, `${name} is on the first screen`).toBeLessThan(900);
  }
  await reader.picture(page, 'load-run-bad');
  await page.close();
});

it('on a phone everything is within the screen', async () => {
  const pages = { run: renderPage(badResult()), compare: renderComparePage(sampleCompare()) };
  for (const [name, html] of Object.entries(pages)) {
    const page = await reader.open(`${name}-phone`, html, { viewport: { width: 400, height: 800 } });
    expect(await page.locator('html').evaluate((root) => root.scrollWidth)).toBeLessThanOrEqual(400);
    expect(await undrawn(page)).toEqual([]);
    await reader.picture(page, `load-${name}-phone`);
    await page.close();
  }
});

it('the cursor tells values, and a drag looks closer in every plot over time', async () => {
  const page = await reader.open('run-hover', renderPage(sampleResult()));
  const plot = page.locator('.plot', { has: page.getByRole('heading', { name: 'Throughput' }) }).locator('.u-over');
  const cpu = page.locator('.plot', { has: page.getByRole('heading', { name: 'CPU' }) });
  const picture = () => cpu.locator('canvas').evaluate((canvas): string => canvas.toDataURL());
  const box = (await plot.boundingBox())!;
  const before = await picture();
  await page.mouse.move(box.x + box.width / 2, box.y + 50);
  await expect.poll(() => page.locator('.plot').first().locator('.u-value').first().innerText()).toMatch(/^0:4\d$/);
  expect(await cpu.locator('.u-value').allInnerTexts()).not.toContain('–');
  // The slots were last counted at 42.8 s, and next at 64.7 s: nearer to the cursor in the second half between them.
  await page.mouse.move(box.x + box.width * (60 / 90), box.y + 50);
  const ownership = page.locator('.plot', { has: page.getByRole('heading', { name: 'Ownership' }) });
  await expect.poll(() => ownership.locator('.u-value').allInnerTexts()).toEqual(['0:42', '345', '331', '348']);
  await page.mouse.move(box.x + box.width / 2, box.y + 50);
  await reader.picture(page, 'load-run-hover');
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await expect.poll(picture).not.toBe(before);
  await reader.picture(page, 'load-run-zoomed');
  await page.mouse.dblclick(box.x + 30, box.y + 60);
  await page.mouse.move(0, 0);
  await expect.poll(picture).toBe(before);
  await page.close();
});

it('shows a comparison: a bar for each system, a dot for each round, the ratios with their targets', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await reader.open(`compare-${colorScheme}`, renderComparePage(sampleCompare()), { colorScheme });
    const acks = page.getByRole('region', { name: 'Acks' });
    expect(await acks.locator('.round').count()).toBe(8);
    expect(await acks.locator('.round__dot').count()).toBe(40);
    expect(await acks.locator('.card').allInnerTexts()).toEqual([
      expect.stringMatching(/0\.89 ×[^]*0\.84 to 0\.95 ×[^]*✓ reached P1/),
      expect.stringMatching(/4\.93 ×[^]*✗ missed P1/),
      expect.stringMatching(/2\.3 ×/),
    ]);
    await reader.picture(page, `load-compare-${colorScheme}`);
    await page.close();
  }
});

it('the switch on top chooses the colours, of the page and of what is drawn', async () => {
  const page = await reader.open('run-switch', renderPage(sampleResult()), { colorScheme: 'light' });
  const ground = () =>
    page.locator('body').evaluate((body) => body.ownerDocument.defaultView.getComputedStyle(body).backgroundColor);
  expect(await page.getByRole('radio', { name: 'system' }).isChecked()).toBe(true);
  const light = await ground();
  await page.getByText('dark', { exact: true }).click();
  await expect.poll(ground).not.toBe(light);
  expect(await undrawn(page)).toEqual([]);
  await page.getByText('light', { exact: true }).click();
  await expect.poll(ground).toBe(light);
  expect(await undrawn(page)).toEqual([]);
  await page.close();
});

it('the result can be saved as it was', async () => {
  const page = await reader.open('run-save', renderPage(hostileResult()));
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the result' }).click();
  const download = await saved;
  expect(JSON.parse(await readFile(await download.path(), 'utf8'))).toEqual(hostileResult());
  await page.close();
});

it('text from outside is shown as text, wherever it stands', async () => {
  const pages = { run: renderPage(hostileResult()), compare: renderComparePage(hostileCompare()) };
  for (const [name, html] of Object.entries(pages)) {
    const page = await reader.open(`${name}-hostile`, html);
    expect(await page.title()).not.toBe('broken');
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(3);
    expect(await page.locator('h1, .card h3').allInnerTexts()).toContainEqual(expect.stringContaining('</script><img'));
    await page.close();
  }
});

it('is printed on white and within the paper, and is as before afterwards', async () => {
  const page = await reader.open('run-print', renderPage(sampleResult()), { colorScheme: 'dark' });
  const width = () =>
    page
      .locator('canvas')
      .first()
      .evaluate((canvas) => canvas.clientWidth);
  const before = await width();
  await page.evaluate("window.dispatchEvent(new Event('beforeprint'))");
  expect(await width()).toBeLessThan(700);
  expect(await undrawn(page)).toEqual([]);
  await page.evaluate("window.dispatchEvent(new Event('afterprint'))");
  expect(await width()).toBe(before);
  expect((await page.pdf({ format: 'A4', path: reader.file('load-run.pdf') })).length).toBeGreaterThan(50_000);
  await page.close();
});

it('the built tool has all with it that the page is made of', () => {
  const built = pathToFileURL('dist/apps/load/src/page/page.js').href;
  const script = `
    import { readFileSync } from 'node:fs';
    import { renderPage } from '${built}';
    process.stdout.write(renderPage(JSON.parse(readFileSync(0, 'utf8'))));`;
  const page = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    input: JSON.stringify(sampleResult()),
    encoding: 'utf8',
  });
  expect(page === renderPage(sampleResult())).toBe(true);
});

it('no request was made, and no page had a fault', () => {
  expect(reader.requests).toEqual([]);
  expect(reader.faults).toEqual([]);
});
