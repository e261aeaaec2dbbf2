/**
 * A server and a browser, for tests that draw. Every request beyond the server fails and is listed, and every error
 * on a page is kept: both lists must be empty at the end.
 */
import { mkdirSync } from 'node:fs';
import { ServerProcess, until, type ServerProcessOptions } from '@homeport/testkit';
import type { ExcalidrawElement } from '@excalidraw/excalidraw/element/types';
import type { Entry, Json } from '@homeport/protocol';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { findChromium } from '../../../scripts/chromium.mjs';

/** No name but ours is found. Routes would do it too, and switch the cache off that offline work lives on. */
const ALONE = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost';
const ARGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
const PICTURES = 'artifacts';
export const SOON_MS = 30_000;

export type At = readonly [x: number, y: number];

export class Studio {
  /** Requests that wanted to leave. */
  readonly foreign: string[] = [];
  readonly faults: string[] = [];

  private constructor(
    readonly server: ServerProcess,
    readonly browser: Browser,
  ) {}

  static async open(options: ServerProcessOptions = {}): Promise<Studio> {
    const executablePath = findChromium();
    if (executablePath === undefined) throw new Error('no Chromium was found: install it, or set CHROMIUM_PATH');
    const server = await ServerProcess.start(options);
    try {
      return new Studio(server, await chromium.launch({ executablePath, args: [...ARGS, ...QUIET, ALONE] }));
    } catch (error) {
      await server.dispose();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.dispose();
  }

  async person(name: string, options: BrowserContextOptions = {}): Promise<Painter> {
    const context = await this.browser.newContext({
      viewport: { width: 1280, height: 800 },
      permissions: ['clipboard-read', 'clipboard-write'],
      ...options,
    });
    await context.addInitScript((own) => {
      localStorage.setItem('homeport.name', own);
      // Downloads instead of the system's dialog.
      for (const dialog of ['showOpenFilePicker', 'showSaveFilePicker']) Reflect.deleteProperty(window, dialog);
    }, name);
    context.on('request', (request) => {
      const url = request.url();
      if (!/^(data|blob|about):/.test(url) && !url.startsWith(`${this.server.url}/`)) this.foreign.push(url);
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => this.faults.push(`${name}: ${error.message}`));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) this.faults.push(`${name}: ${message.text()}`);
    });
    return new Painter(page, this.server, name);
  }

  async read<Answer>(path: string): Promise<Answer> {
    const response = await fetch(`${this.server.url}/v1/documents/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  /** What the server has, by element id. */
  async elements(id: string): Promise<Map<string, { readonly [field: string]: Json }>> {
    type Records = { readonly [key: string]: { readonly value: { readonly [field: string]: Json } } };
    const { records } = await this.read<{ readonly records: Records }>(`${id}?prefix=element:`);
    return new Map(Object.entries(records).map(([key, { value }]) => [key.slice('element:'.length), value]));
  }

  async log(id: string): Promise<Entry[]> {
    const log: Entry[] = [];
    for (;;) {
      const { entries } = await this.read<{ readonly entries: Entry[] }>(`${id}/entries?from=${log.length + 1}`);
      if (entries.length === 0) return log;
      log.push(...entries);
    }
  }
}

export class Painter {
  constructor(
    readonly page: Page,
    private readonly server: ServerProcess,
    readonly name: string,
  ) {}

  async open(board: string): Promise<void> {
    await this.page.goto(`${this.server.url}/board/${board}`);
    await this.ready();
  }

  async ready(): Promise<void> {
    await this.page.locator('canvas.interactive').waitFor({ timeout: SOON_MS });
    await this.page.getByTestId('status').waitFor({ timeout: SOON_MS });
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** A tool by its key, from the first point through the others. */
  async draw(key: string, ...points: readonly At[]): Promise<void> {
    await this.page.keyboard.press(key);
    await this.drag(...points);
  }

  async drag(...points: readonly At[]): Promise<void> {
    await this.penDown(points[0]!);
    await this.penMove(...points.slice(1));
    await this.page.mouse.up();
  }

  async penDown([x, y]: At): Promise<void> {
    await this.page.mouse.move(x, y);
    await this.page.mouse.down();
  }

  async penMove(...points: readonly At[]): Promise<void> {
    for (const [x, y] of points) await this.page.mouse.move(x, y, { steps: 5 });
  }

  async write(words: string, [x, y]: At): Promise<void> {
    await this.page.keyboard.press('t');
    await this.page.mouse.click(x, y);
    await this.page.locator('textarea.excalidraw-wysiwyg').waitFor({ timeout: SOON_MS });
    await this.page.keyboard.type(words);
    await this.page.keyboard.press('Escape');
    await this.page.keyboard.press('Escape');
  }

  get chip(): Promise<string> {
    return this.page.getByTestId('status').innerText();
  }

  async chipSays(words: string | RegExp): Promise<void> {
    let said = '';
    await until(SOON_MS, `the chip of ${this.name} to say ${words}`, async () => {
      said = (await this.chip).trim();
      return typeof words === 'string' ? said === words : words.test(said);
    }).catch((error: unknown) => {
      throw new Error(`it says ${said}`, { cause: error });
    });
  }

  /** What the page shows, from the bottom to the top: asked of Excalidraw itself, which has it in its React component. */
  async scene(): Promise<readonly ExcalidrawElement[]> {
    interface Fiber {
      readonly return: Fiber | null;
      readonly stateNode: { readonly scene?: { getNonDeletedElements(): readonly ExcalidrawElement[] } } | null;
    }
    const json = await this.page.evaluate(() => {
      const node = document.querySelector('.excalidraw') as unknown as { readonly [name: string]: Fiber };
      let fiber: Fiber | null = node[Object.keys(node).find((name) => name.startsWith('__reactFiber$'))!]!;
      while (fiber !== null && !fiber.stateNode?.scene) fiber = fiber.return;
      return JSON.stringify(fiber?.stateNode?.scene?.getNonDeletedElements());
    });
    return JSON.parse(json) as readonly ExcalidrawElement[];
  }

  async sees(what: string, holds: (scene: readonly ExcalidrawElement[]) => boolean): Promise<void> {
    await until(SOON_MS, `${this.name} to see ${what}`, async () => holds(await this.scene()));
  }

  /** Waits until so many frames were drawn: whatever the page had to say, it has said by then. */
  async frames(count: number): Promise<void> {
    await this.page.evaluate(
      (left) =>
        new Promise<void>((done) => {
          const next = (n: number): void => void (n === 0 ? done() : requestAnimationFrame(() => next(n - 1)));
          next(left);
        }),
      count,
    );
  }

  /** Answers a function that says how many frames were drawn since. */
  async countFrames(): Promise<() => Promise<number>> {
    const counter = await this.page.evaluateHandle(() => {
      const counted = { frames: 0 };
      const next = (): void => {
        counted.frames++;
        requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
      return counted;
    });
    return () => counter.evaluate(({ frames }) => frames);
  }

  async picture(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: `${PICTURES}/${name}.png` });
  }
}

/** What a scene says, without what each page counts for itself. */
export function contentOf(scene: readonly ExcalidrawElement[]): object[] {
  return scene.map((element) => ({
    ...element,
    ...{ version: 0, versionNonce: 0, updated: 0, index: '', lastCommittedPoint: null },
    boundElements: element.boundElements ?? [],
  }));
}

/** A board id that no other test uses. */
export function freshBoard(): string {
  return `board-${crypto.randomUUID()}`;
}
