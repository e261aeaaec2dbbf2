import type { FaultMark } from '../load/run-result.js';
import { html, type Html } from './html.js';
import { clock, lasting } from './words.js';

export function faultList(faults: readonly FaultMark[]): Html | undefined {
  if (faults.length === 0) return undefined;
  return html`<section class="panel" aria-label="Faults">
    <h2>Faults</h2>
    <div class="scroll" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">fault</th>
            <th scope="col">at</th>
            <th scope="col">lasted</th>
            <th scope="col" class="words">what was done</th>
          </tr>
        </thead>
        <tbody>
          ${faults.map(
            ({ name, atMs, untilMs, says }) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td>${clock(atMs)}</td>
                <td>${lasting(untilMs - atMs)}</td>
                <td class="words">${says}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
