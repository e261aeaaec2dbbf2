import { createClient } from '@homeport/client';
import type { Json } from '@homeport/protocol';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshBoard, Studio, type Painter } from './studio.js';

const LONG_MS = 120_000;
const SHAPE = { type: 'rectangle', x: 300, y: 200, width: 100, height: 80, index: 'a1' };
const HOSTILE: readonly Json[] = [
  'not an element',
  null,
  [],
  { type: 'freedraw', x: 0, y: 0, index: 'a1' },
  { type: 'freedraw', x: 0, y: 0, index: 'a1', points: null, pressures: 'x' },
  {
    type: 'freedraw',
    x: 0,
    y: 0,
    index: 'a1',
    points: [
      [1e308, 0],
      [0, -1e308],
    ],
    pressures: [],
  },
  {
    type: 'line',
    x: 0,
    y: 0,
    index: 'a1',
    points: [
      [0, 0],
      ['a', 'b'],
    ],
  },
  {
    type: 'arrow',
    x: 0,
    y: 0,
    index: 'a1',
    points: [
      [0, 0],
      [9, 9],
    ],
    startBinding: { elementId: 7 },
  },
  { type: 'text', x: 0, y: 0, index: 'a1', text: { toString: 1 }, fontSize: 20, fontFamily: 5 },
  { type: 'text', x: 0, y: 0, index: 'a1', text: 'x', fontSize: 1e9, fontFamily: 5 },
  {
    type: 'iframe',
    x: 0,
    y: 0,
    width: 100,
    height: 100,
    index: 'a1',
    customData: { generationData: { status: 'done', html: '<b>' } },
  },
  { ...SHAPE, index: 'zzz' },
  { ...SHAPE, index: '' },
  { ...SHAPE, x: 1e200 },
  { ...SHAPE, strokeWidth: 1e-9 },
  { ...SHAPE, groupIds: { length: 1e9 } },
  { ...SHAPE, boundElements: [null] },
  { ...SHAPE, roundness: 'round' },
];

let studio: Studio;
let ada: Painter;
let board: string;

beforeAll(async () => {
  studio = await Studio.open();
  ada = await studio.person('Ada', { hasTouch: false });
}, LONG_MS);
afterAll(() => studio?.close());
beforeEach(async () => {
  board = freshBoard();
  await ada.open(board);
});

it(
  'hostile records of a plain client do not empty the page; they are counted, and work goes on',
  async () => {
    await ada.draw('r', [300, 200], [480, 320]);
    await ada.chipSays('Saved');
    const client = createClient({ url: studio.server.url });
    try {
      const hostile = await client.open(board);
      for (const [i, record] of HOSTILE.entries()) await hostile.put(`element:hostile-${i}`, record);
      await hostile.put('background', { color: 'url(https://example.org/x.png)' });
      await hostile.put('element:', SHAPE);
      // An arrow that is bound to nothing, and one text in no container: odd, and drawn.
      const odd = { elementId: 'nobody', focus: 0, gap: 1 };
      await hostile.put('element:odd-arrow', {
        ...{
          type: 'arrow',
          x: 500,
          y: 500,
          index: 'a7',
          points: [
            [0, 0],
            [80, 20],
          ],
        },
        ...{ startBinding: odd, endBinding: odd, elbowed: false },
      });
      await hostile.put('element:odd-text', {
        ...{ type: 'text', x: 600, y: 600, index: 'a8', width: 50, height: 25, text: 'odd', originalText: 'odd' },
        ...{ fontSize: 20, fontFamily: 5, containerId: 'nobody', lineHeight: 1.25 },
      });
    } finally {
      client.close();
    }
    await ada.sees('the two odd ones', (scene) => scene.length === 3);
    await ada.draw('o', [600, 200], [700, 320]);
    await ada.sees('what was drawn after', (scene) => scene.length === 4);
    await ada.chipSays('Saved');
    await ada.page.getByTestId('status').click();
    expect(await ada.page.getByRole('dialog', { name: 'Connection' }).innerText()).toContain(
      `${HOSTILE.length + 1} of the records`,
    );
    await ada.reload();
    await ada.sees('the same', (scene) => scene.length === 4);
    await ada.page.keyboard.press('Control+a');
    await ada.drag([301, 250], [340, 300]);
    await ada.chipSays('Saved');
    expect(await ada.scene()).toHaveLength(4);
  },
  LONG_MS,
);

it(
  'pictures and files are refused in words, by paste and by drop, and the board stays as it was',
  async () => {
    await ada.draw('r', [300, 200], [480, 320]);
    await ada.chipSays('Saved');
    for (const [how, name, type, words] of [
      ['paste', 'a.png', 'image/png', 'Pictures are not supported yet'],
      ['drop', 'a.png', 'image/png', 'Pictures are not supported yet'],
      ['drop', 'a.excalidraw', 'application/json', 'Files can not be opened here yet'],
    ] as const) {
      await ada.page.mouse.move(640, 500);
      await ada.page.evaluate(
        ([event, file, mime]) => {
          const data = new DataTransfer();
          data.items.add(new File(['{"type":"excalidraw","elements":[]}'], file, { type: mime }));
          const canvas = document.querySelector('canvas.interactive')!;
          const options = { bubbles: true, cancelable: true };
          if (event === 'paste')
            document.dispatchEvent(new ClipboardEvent('paste', { ...options, clipboardData: data }));
          else canvas.dispatchEvent(new DragEvent('drop', { ...options, dataTransfer: data }));
        },
        [how, name, type] as const,
      );
      await ada.page.locator('.Toast', { hasText: words }).waitFor({ timeout: 30_000 });
      await ada.page.locator('.Toast button').click();
    }
    expect(await ada.scene()).toHaveLength(1);
    expect((await studio.elements(board)).size).toBe(1);
  },
  LONG_MS,
);

it(
  'a pasted video link is a text, and opens no other page',
  async () => {
    await ada.page.mouse.move(640, 400);
    await paste('https://www.youtube.com/watch?v=dQw4w9WgXcQ');
    await ada.sees('a text', (scene) => scene.length === 1 && scene[0]!.type === 'text');
    await ada.chipSays('Saved');
    expect(ada.page.frames()).toHaveLength(1);
  },
  LONG_MS,
);

it(
  'a text that is too large is refused by name; nothing else is held up',
  async () => {
    await ada.page.mouse.move(640, 400);
    await paste('lorem ipsum '.repeat(12_000));
    await ada.page.locator('.Toast', { hasText: 'This text is too large to be saved' }).waitFor({ timeout: 30_000 });
    await ada.page.keyboard.press('Escape');
    await ada.draw('r', [300, 200], [480, 320]);
    await ada.chipSays('Saved');
    await ada.sees('only the rectangle', (scene) => scene.length === 1 && scene[0]!.type === 'rectangle');
    expect((await studio.elements(board)).size).toBe(1);
  },
  LONG_MS,
);

it(
  'a paste of many elements arrives whole',
  async () => {
    const elements = Array.from({ length: 1_200 }, (_, i) => ({
      ...{ ...SHAPE, id: `p${i}`, x: 200 + (i % 40) * 20, y: 100 + Math.floor(i / 40) * 18, width: 14, height: 12 },
      ...{ index: null, version: 1, versionNonce: i, isDeleted: false, groupIds: [], boundElements: null },
    }));
    await ada.page.mouse.move(640, 400);
    await paste(JSON.stringify({ type: 'excalidraw/clipboard', elements }));
    await ada.sees('all of them', (scene) => scene.length === elements.length);
    await ada.chipSays('Saved');
    expect((await studio.elements(board)).size).toBe(elements.length);
    const sizes = (await studio.log(board)).map(({ ops }) => ops.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
  },
  LONG_MS,
);

it('nothing was requested from elsewhere, and no page had a fault', () => {
  expect(studio.foreign).toEqual([]);
  expect(studio.faults).toEqual([]);
});

async function paste(text: string): Promise<void> {
  await ada.page.evaluate((words) => navigator.clipboard.writeText(words), text);
  await ada.page.keyboard.press('Control+v');
}
