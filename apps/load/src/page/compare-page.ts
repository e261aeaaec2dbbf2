/** The page of a comparison: for each kind of work the ratios first, then what they come from, round by round. */
import type { CompareResult } from '../compare/compare-result.js';
import { Colours } from './colours.js';
import { comparedWork } from './compared-work.js';
import { head } from './head.js';
import { html } from './html.js';
import { shell } from './shell.js';
import { notices, verdictBanner } from './verdict-banner.js';
import { counted } from './words.js';

export function renderComparePage(result: CompareResult): string {
  const { systems, works, startedAt } = result;
  const colours = new Colours();
  for (const { name } of systems) colours.of(name);
  const rounds = Math.max(0, ...works.flatMap(({ values }) => Object.values(values).map((own) => own.length)));
  const says = `${counted(systems.length, 'system')} did the same work on one machine, in turns, for ${counted(rounds, 'round')}.`;
  const body = html`
    ${head({ kind: 'Comparison', title: 'Side by side', says, facts: {}, result })} ${notices(result)}
    ${verdictBanner(result.verdict)}
    <section class="panel" aria-label="Systems">
      <h2>Systems</h2>
      <dl class="systems">
        ${systems.map(
          ({ name, says }) =>
            html`<div>
              <dt><i class="dot" data-colour="${colours.of(name)}"></i>${name}</dt>
              <dd>${says}</dd>
            </div>`,
        )}
      </dl>
    </section>
    ${works.map((work) => comparedWork(work, systems, colours))}
  `;
  const resultName = `homeport-compare-${startedAt.replaceAll(':', '-')}.json`;
  return shell({ title: 'Homeport side by side', body, plots: [], result, resultName });
}
