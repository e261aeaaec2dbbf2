import type { OperationStats } from '../load/run-result.js';
import type { Colours } from './colours.js';
import { html, type Html } from './html.js';
import { figure } from './words.js';

const COLUMNS = ['ok', 'refused', 'unknown', 'p50', 'p90', 'p99', 'p99.9', 'max'];

export function operationsTable(operations: readonly OperationStats[], colours: Colours): Html | undefined {
  if (operations.length === 0) return undefined;
  return html`<section class="panel" aria-label="Operations">
    <h2>Operations</h2>
    <p class="panel__says">After the warm-up; latencies in milliseconds.</p>
    <div class="scroll" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">kind</th>
            ${COLUMNS.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${operations.map((operation) => row(operation, colours))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function row({ kind, ok, refused, unknown, latency }: OperationStats, colours: Colours): Html {
  const { p50, p90, p99, p999, max } = latency;
  return html`<tr>
    <th scope="row"><i class="dot" data-colour="${colours.of(kind)}"></i>${kind}</th>
    <td>${figure(ok)}</td>
    ${[refused, unknown].map((count) => html`<td data-trouble="${String(count > 0)}">${figure(count)}</td>`)}
    ${[p50, p90, p99, p999, max].map((ms) => html`<td>${figure(ms)}</td>`)}
  </tr>`;
}
