/**
 * What every page is in: one file with its style, its scripts and its data, which opens from a disk without a network.
 *
 * The content security policy names the scripts by their hash and allows no request at all. Should a text from outside
 * ever get past the escaping, it would still not run.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { html, Html, jsonBlock, type HtmlPart } from './html.js';
import type { Plot } from './plot.js';

/** In the order in which they build upon each other; together they are one script. */
const SCRIPTS = ['theme.js', 'spans.js', 'draw.js', 'main.js'];

const require = createRequire(import.meta.url);

export interface PageParts {
  readonly title: string;
  readonly body: HtmlPart;
  readonly plots: readonly Plot[];
  /** All that is shown and more, for whoever wants to reckon with it. */
  readonly result: unknown;
  /** Under which name the browser saves it. */
  readonly resultName: string;
}

export function shell({ title, body, plots, result, resultName }: PageParts): string {
  const script = [uPlot('uPlot.iife.min.js'), ...SCRIPTS.map(own)].join('\n');
  const style = [uPlot('uPlot.min.css'), own('page.css'), own('parts.css'), own('compare.css')].join('\n');
  const policy = `default-src 'none'; script-src '${hashOf(script)}'; style-src 'unsafe-inline'; img-src data:`;
  return html`<!doctype html>
    <html lang="en" data-theme="system">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="Homeport" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <nav class="top">
          <span class="brand">${MARK} Homeport</span>
          <fieldset class="theme">
            <legend>Colours</legend>
            ${['system', 'light', 'dark'].map(
              (theme) => html`<label><input type="radio" name="theme" value="${theme}" /><span>${theme}</span></label>`,
            )}
          </fieldset>
        </nav>
        <main>${body}</main>
        <footer>
          <button type="button" id="save" data-name="${resultName}">Save the result as JSON</button>
          <span>Everything on this page is in it, and in this file.</span>
        </footer>
        ${jsonBlock('result', result)} ${jsonBlock('plots', plots)} ${scriptBlock(script)}
      </body>
    </html>`.text;
}

const MARK = html`<svg viewBox="0 0 64 64" aria-hidden="true">
  <rect width="64" height="64" rx="16" fill="#5b5bd6" />
  <path
    d="M33 12v30M33 14c9 5 14 14 15 25-6-2-10-2-15 0M29 20c-5 6-9 12-11 20 4-2 7-2 11-1M13 46c5 6 11 8 19 8s14-2 19-8"
    fill="none"
    stroke="#fff"
    stroke-width="4"
    stroke-linecap="round"
    stroke-linejoin="round"
  />
</svg>`;

/** To the letter: the policy knows it by its hash. */
function scriptBlock(script: string): Html {
  return new Html(`<script>${script}</script>`);
}

function own(name: string): string {
  return readFileSync(new URL(`./browser/${name}`, import.meta.url), 'utf8');
}

/** With its licence, which goes wherever it goes. */
function uPlot(file: string): string {
  const licence = readFileSync(require.resolve('uplot/LICENSE'), 'utf8');
  return `/*\n${licence}*/\n${readFileSync(require.resolve(`uplot/dist/${file}`), 'utf8')}`;
}

function hashOf(script: string): string {
  return `sha256-${createHash('sha256').update(script).digest('base64')}`;
}
