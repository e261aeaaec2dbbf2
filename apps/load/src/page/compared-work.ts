import type { ComparedWork, CompareResult } from '../compare/compare-result.js';
import type { Colours } from './colours.js';
import { stateOf, targetLine } from './figure-cards.js';
import { html, type Html } from './html.js';
import { roundBars } from './round-bars.js';
import { figure } from './words.js';

export function comparedWork(work: ComparedWork, systems: CompareResult['systems'], colours: Colours): Html {
  const { name, says, unit, better, values, cpuMicros, ratios } = work;
  const names = systems.map((system) => system.name);
  return html`<section class="panel" aria-label="${name}">
    <h2>${name}</h2>
    <p class="panel__says">${says}</p>
    <div class="cards ratios">
      ${ratios.map(
        ({ of, over, median, min, max, target }) =>
          html`<article class="card" data-reached="${stateOf(target)}">
            <h3>${of} <span>over</span> ${over}</h3>
            <p class="card__value">${figure(median)} <small>×</small></p>
            <p class="target">within the rounds ${figure(min)} to ${figure(max)} ×</p>
            ${targetLine(target)}
          </article>`,
      )}
    </div>
    <div class="bars">
      ${roundBars({ title: `${unit}, ${better} is better`, unit, values, names, colours })}
      ${
        cpuMicros === undefined
          ? undefined
          : roundBars({
              ...{ title: 'CPU of the server per operation, lower is better', unit: 'µs' },
              ...{ values: cpuMicros, names, colours },
            })
      }
    </div>
  </section>`;
}
