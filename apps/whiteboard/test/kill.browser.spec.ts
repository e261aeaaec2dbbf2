import { afterAll, beforeAll, expect, it } from 'vitest';
import { contentOf, freshBoard, Studio, type At, type Painter } from './studio.js';

const LONG_MS = 240_000;
const stroke = (y: number): At[] => Array.from({ length: 30 }, (_, i) => [300 + 12 * i, y + (i % 2 === 0 ? 0 : 24)]);

let studio: Studio;
let ada: Painter;
let bob: Painter;

beforeAll(async () => {
  studio = await Studio.open();
  ada = await studio.person('Ada');
  bob = await studio.person('Bob');
}, LONG_MS);
afterAll(() => studio?.close());

it(
  'W1: kill -9 in the middle of a stroke loses nothing that was shown as saved, and what was not is saved after the restart, once',
  async () => {
    const board = freshBoard();
    await ada.open(board);
    await bob.open(board);
    await ada.draw('r', [300, 130], [480, 220]);
    await bob.write('hello', [700, 180]);
    await ada.chipSays('Saved');
    await bob.chipSays('Saved');
    await ada.sees('the text', (scene) => scene.length === 2);
    const saved = await studio.elements(board);
    expect(saved.size).toBe(2);

    const path = stroke(300);
    await ada.page.keyboard.press('p');
    await ada.penDown(path[0]!);
    await ada.penMove(...path.slice(1, 15));
    await studio.server.kill();
    await ada.penMove(...path.slice(15));
    await ada.page.mouse.up();
    await bob.draw('p', ...stroke(500));
    for (const person of [ada, bob]) await person.chipSays(/^Offline, \d+ changes? kept$/);
    await ada.picture('offline');

    await studio.server.restart();
    for (const person of [ada, bob]) await person.chipSays('Saved');
    await ada.sees('all four', (scene) => scene.length === 4);
    await bob.sees('all four', (scene) => scene.length === 4);
    const scene = await ada.scene();
    expect(contentOf(await bob.scene())).toEqual(contentOf(scene));

    const elements = await studio.elements(board);
    expect(elements.size).toBe(4);
    for (const [id, record] of saved) expect(elements.get(id)).toEqual(record);
    for (const element of scene) {
      if (element.type === 'freedraw') expect(elements.get(element.id)!['points']).toEqual(element.points);
    }
    const log = await studio.log(board);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
    expect(new Set(log.map(({ session, opNo }) => `${session} ${opNo}`)).size).toBe(log.length);

    await ada.reload();
    await bob.reload();
    await ada.chipSays('Saved');
    expect(contentOf(await ada.scene())).toEqual(contentOf(await bob.scene()));
    expect(await ada.scene()).toHaveLength(4);
  },
  LONG_MS,
);

it(
  'a tab with unsaved changes warns before it closes',
  async () => {
    const eve = await studio.person('Eve');
    await eve.open(freshBoard());
    await eve.draw('r', [300, 130], [480, 220]);
    await eve.chipSays('Saved');
    await studio.server.kill();
    await eve.draw('o', [600, 130], [680, 220]);
    await eve.chipSays(/kept$/);
    const asked = eve.page.waitForEvent('dialog', { timeout: 30_000 });
    await eve.page.close({ runBeforeUnload: true });
    const dialog = await asked;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    await studio.server.restart();
    await eve.chipSays('Saved');
    await eve.page.close();
  },
  LONG_MS,
);

it('nothing was requested from elsewhere, and no page had a fault', () => {
  expect(studio.foreign).toEqual([]);
  expect(studio.faults).toEqual([]);
});
