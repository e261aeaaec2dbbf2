import type { ResultFigure } from '../load/run-result.js';
import { html, type Html } from './html.js';
import { figure } from './words.js';

type Target = NonNullable<ResultFigure['target']>;

export function figureCards(figures: readonly ResultFigure[]): Html | undefined {
  if (figures.length === 0) return undefined;
  return html`<section class="cards" aria-label="Figures">
    ${figures.map(
      ({ name, value, unit, target }) =>
        html`<article class="card" data-reached="${stateOf(target)}">
          <h3>${name}</h3>
          <p class="card__value">
            ${value === null ? '–' : figure(value)} <small>${value === null ? 'nothing to measure' : unit}</small>
          </p>
          ${targetLine(target)}
        </article>`,
    )}
  </section>`;
}

export function targetLine(target: Target | undefined): Html | undefined {
  if (!target) return undefined;
  const { says, reached } = target;
  return html`<p class="target"><b>${reached ? '✓ reached' : '✗ missed'}</b> ${says}</p>`;
}

export function stateOf(target: Target | undefined): string {
  return target ? String(target.reached) : 'none';
}
