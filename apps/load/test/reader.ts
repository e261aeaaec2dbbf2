/** Somebody who opens a page from a disk. What the page asks of a network, and every fault in it, is kept. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { findChromium } from '../../../scripts/chromium.mjs';

const ARGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND'];
const PICTURES = 'artifacts';

export class Reader {
  readonly requests: string[] = [];
  readonly faults: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'homeport-page-'));

  private constructor(private readonly browser: Browser) {}

  static async start(): Promise<Reader> {
    const executablePath = findChromium();
    if (executablePath === undefined) throw new Error('no Chromium was found: install it, or set CHROMIUM_PATH');
    return new Reader(await chromium.launch({ executablePath, args: ARGS }));
  }

  async open(name: string, html: string, options: BrowserContextOptions = {}): Promise<Page> {
    const file = join(this.#folder, `${name}.html`);
    writeFileSync(file, html);
    const url = pathToFileURL(file).href;
    const page = await this.browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    page.on('request', (request) => {
      if (request.url() !== url && !/^(data|blob):/.test(request.url())) this.requests.push(request.url());
    });
    page.on('pageerror', (error) => this.faults.push(`${name}: ${error.message}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.faults.push(`${name}: ${message.text()}`);
    });
    await page.goto(url);
    return page;
  }

  async picture(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: this.file(`${name}.png`), fullPage: true });
  }

  /** Of something to look at after the tests. */
  file(name: string): string {
    mkdirSync(PICTURES, { recursive: true });
    return join(PICTURES, name);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    rmSync(this.#folder, { recursive: true });
  }
}
