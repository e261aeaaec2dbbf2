import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contentOf, freshBoard, Studio, type Painter } from './studio.js';

const LONG_MS = 120_000;

describe('two people draw together', () => {
  let studio: Studio;
  let ada: Painter;
  let bob: Painter;
  let board: string;

  beforeAll(async () => {
    studio = await Studio.open();
    ada = await studio.person('Ada');
    bob = await studio.person('Bob');
  }, LONG_MS);
  afterAll(() => studio?.close());
  beforeEach(async () => {
    board = freshBoard();
    await ada.open(board);
    await bob.open(board);
  });

  async function expectSameScene(): Promise<void> {
    await ada.chipSays('Saved');
    await bob.chipSays('Saved');
    const [mine, theirs] = [contentOf(await ada.scene()), contentOf(await bob.scene())];
    expect(theirs).toEqual(mine);
    expect((await studio.elements(board)).size).toBe(mine.length);
  }

  it(
    'strokes, shapes and text arrive; both see the same after a reload; idle pages push nothing',
    async () => {
      await ada.draw('r', [300, 200], [480, 320]);
      await bob.draw('p', [320, 450], [380, 420], [430, 480], [520, 430]);
      await ada.write('hello', [700, 300]);
      await bob.sees('a rectangle and a text', (scene) => scene.some(({ type }) => type === 'text'));
      await ada.sees('the stroke', (scene) => scene.some(({ type }) => type === 'freedraw'));
      await expectSameScene();

      const head = (await studio.log(board)).length;
      await ada.frames(60);
      await bob.frames(60);
      expect((await studio.log(board)).length).toBe(head);

      const before = contentOf(await ada.scene());
      await ada.reload();
      await bob.reload();
      await expectSameScene();
      expect(contentOf(await ada.scene())).toEqual(before);
      expect((await studio.log(board)).length).toBe(head);
    },
    LONG_MS,
  );

  it(
    'what is inserted at the same time at one place has one order on both pages, and then there is silence',
    async () => {
      for (let round = 0; round < 3; round++) {
        const y = 150 + 150 * round;
        await Promise.all([ada.draw('r', [300, y], [400, y + 80]), bob.draw('d', [350, y], [460, y + 90])]);
      }
      await ada.sees('six shapes', (scene) => scene.length === 6);
      await bob.sees('six shapes', (scene) => scene.length === 6);
      await expectSameScene();
      const head = (await studio.log(board)).length;
      await ada.frames(60);
      await bob.frames(60);
      expect((await studio.log(board)).length).toBe(head);
    },
    LONG_MS,
  );

  it(
    'names, cursors and selections of the others are seen',
    async () => {
      const faces = (painter: Painter) => painter.page.locator('.people__face');
      await expect.poll(() => faces(ada).allInnerTexts(), { timeout: 30_000 }).toEqual(['B', 'A']);
      await bob.draw('r', [300, 200], [480, 320]);
      await ada.sees('the rectangle', (scene) => scene.length === 1);
      const place = { clip: { x: 600, y: 460, width: 120, height: 80 } };
      const before = await ada.page.screenshot(place);
      await bob.page.mouse.move(640, 500);
      await expect.poll(async () => before.equals(await ada.page.screenshot(place)), { timeout: 30_000 }).toBe(false);
      await ada.picture('cursor');
      await bob.page.close();
      await expect.poll(() => faces(ada).allInnerTexts(), { timeout: 30_000 }).toEqual(['A']);
      bob = await studio.person('Bob');
    },
    LONG_MS,
  );

  it(
    'a drag is one push per frame at most, and a shape and its bound arrow move in one push',
    async () => {
      await ada.draw('r', [300, 200], [480, 320]);
      await ada.draw('a', [700, 260], [600, 262], [490, 262]);
      await ada.chipSays('Saved');
      const shape = [...(await studio.elements(board))].find(([, { type }]) => type === 'rectangle')![0];
      const arrow = [...(await studio.elements(board))].find(([, { type }]) => type === 'arrow')!;
      expect(arrow[1]['endBinding']).toMatchObject({ elementId: shape });
      const head = (await studio.log(board)).length;
      await ada.page.keyboard.press('Escape');
      const frames = await ada.countFrames();
      await ada.drag([301, 250], [320, 300], [340, 420], [330, 480]);
      await ada.chipSays('Saved');
      const moves = (await studio.log(board)).slice(head);
      expect(moves.length).toBeGreaterThan(0);
      expect(moves.length).toBeLessThanOrEqual(await frames());
      for (const { ops } of moves) {
        const keys = ops.map(({ key }) => key);
        if (keys.includes(`element:${shape}`)) expect(keys).toContain(`element:${arrow[0]}`);
      }
      await expectSameScene();
    },
    LONG_MS,
  );

  it(
    'undo and redo are of one’s own work; what somebody else deleted comes back for everybody or nobody',
    async () => {
      await ada.draw('r', [300, 200], [480, 320]);
      await bob.draw('o', [600, 200], [700, 320]);
      await ada.sees('both', (scene) => scene.length === 2);
      await ada.page.keyboard.press('Control+z');
      await bob.sees('no rectangle', (scene) => scene.length === 1 && scene[0]!.type === 'ellipse');
      await ada.page.keyboard.press('Control+Shift+z');
      await bob.sees('the rectangle again', (scene) => scene.length === 2);

      await bob.page.mouse.click(300, 260);
      await bob.page.keyboard.press('Delete');
      await ada.sees('no rectangle', (scene) => scene.length === 1);
      await ada.page.keyboard.press('Control+z');
      await ada.page.keyboard.press('Control+Shift+z');
      await ada.chipSays('Saved');
      await bob.chipSays('Saved');
      await expect.poll(async () => (await bob.scene()).length, { timeout: 30_000 }).toBe((await ada.scene()).length);
      await expectSameScene();
    },
    LONG_MS,
  );

  it('nothing was requested from elsewhere, and no page had a fault', () => {
    expect(studio.foreign).toEqual([]);
    expect(studio.faults).toEqual([]);
  });
});
