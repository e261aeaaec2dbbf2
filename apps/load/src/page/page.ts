/** The page of a load run: first whether it held, then how fast it was, then everything else. */
import type { RunResult } from '../load/run-result.js';
import { faultList } from './fault-list.js';
import { figureCards } from './figure-cards.js';
import { head } from './head.js';
import { html } from './html.js';
import { operationsTable } from './operations-table.js';
import { plotFigures } from './plot-figures.js';
import { paletteOf, plotsOf } from './plots.js';
import { shell } from './shell.js';
import { notices, verdictBanner } from './verdict-banner.js';
import { lasting } from './words.js';

export function renderPage(result: RunResult): string {
  const palette = paletteOf(result);
  const plots = plotsOf(result, palette);
  const { scenario, says, system, seed, warmUpMs, startedAt } = result;
  const facts = {
    system: system.kind === 'own' ? 'its own' : system.urls.join(', '),
    seed,
    'warm-up': lasting(warmUpMs),
  };
  const body = html`
    ${head({ kind: 'Load run', title: scenario, says, facts, result })} ${notices(result)}
    ${verdictBanner(result.verdict)} ${figureCards(result.figures)} ${plotFigures(plots)}
    ${operationsTable(result.operations, palette.kinds)} ${faultList(result.faults)}
  `;
  const resultName = `homeport-${scenario}-${startedAt.replaceAll(':', '-')}.json`;
  return shell({ title: `${scenario} · Homeport load run`, body, plots, result, resultName });
}
