import type { RunVerdict } from '../load/run-result.js';
import { html, type Html } from './html.js';
import { counted } from './words.js';

/** More would hide the rest of the page; the JSON has them all. */
const VIOLATIONS_SHOWN = 20;

export function verdictBanner({ ok, says, violations }: RunVerdict): Html {
  const more = violations.length - VIOLATIONS_SHOWN;
  return html`<section class="verdict" data-ok="${String(ok)}" aria-label="Verdict">
    <span class="verdict__mark" aria-hidden="true">${ok ? '✓' : '✗'}</span>
    <div>
      <h2>${titleOf(ok, violations.length)}</h2>
      ${says.map((line) => html`<p>${line}</p>`)}
      ${
        violations.length === 0
          ? undefined
          : html`<ol class="violations">
              ${violations
                .slice(0, VIOLATIONS_SHOWN)
                .map(({ rule, document, says }) => html`<li><b>rule ${rule}</b> <code>${document}</code> ${says}</li>`)}
            </ol>`
      }
      ${more > 0 ? html`<p>and ${more} more, in the JSON.</p>` : undefined}
    </div>
  </section>`;
}

/** What must be known before any figure is believed. */
export function notices({
  cutShort,
  warnings,
}: {
  readonly cutShort?: string;
  readonly warnings: readonly string[];
}): Html {
  return html`${
    cutShort === undefined
      ? undefined
      : html`<section class="notice" data-kind="cut" aria-label="Cut short">
          <h2>Cut short</h2>
          <p>${cutShort}</p>
        </section>`
  }
  ${
    warnings.length === 0
      ? undefined
      : html`<section class="notice" data-kind="warning" aria-label="Warnings">
          <h2>Before you believe a figure</h2>
          <ul>
            ${warnings.map((line) => html`<li>${line}</li>`)}
          </ul>
        </section>`
  }`;
}

function titleOf(ok: boolean, violations: number): string {
  if (ok) return 'Every promise was kept';
  return violations > 0 ? `${counted(violations, 'violation')}` : 'The run failed';
}
