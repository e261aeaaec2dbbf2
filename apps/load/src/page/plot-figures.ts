import { html, type Html } from './html.js';
import type { Plot } from './plot.js';

/** The places that the scripts draw into. */
export function plotFigures(plots: readonly Plot[]): Html | undefined {
  if (plots.length === 0) return undefined;
  return html`<section class="plots" aria-label="Plots">
    ${plots.map(
      ({ id, title, says, shape, isWide }) =>
        html`<figure class="panel plot" data-wide="${String(isWide)}" data-shape="${shape}">
          <figcaption>
            <h2>${title}</h2>
            <p class="panel__says">${says}</p>
          </figcaption>
          <div id="${id}"></div>
        </figure>`,
    )}
    <noscript><p class="notice">The plots are drawn by a script that is in this file.</p></noscript>
    <p class="hint">Drag across a plot to look closer, double click to go back. Click a name to hide its line.</p>
  </section>`;
}
