import type { Machine } from '../measuring/machine.js';
import { html, type Html } from './html.js';
import { dateOf, figure, gigabytes, lasting } from './words.js';

type Scalar = string | number | boolean;

export interface Headline {
  readonly kind: string;
  readonly title: string;
  readonly says: string;
  readonly facts: Readonly<Record<string, Scalar>>;
  readonly result: {
    readonly startedAt: string;
    readonly durationMs: number;
    readonly machine: Machine;
    readonly options: Readonly<Record<string, Scalar>>;
  };
}

/** What was done, when, to what, on which machine, with which options. */
export function head({ kind, title, says, facts, result }: Headline): Html {
  const { startedAt, durationMs, machine } = result;
  const { cpu, cores, memoryBytes, node, platform } = machine;
  const shown = {
    started: html`<time datetime="${startedAt}">${dateOf(startedAt)}</time>`,
    lasted: lasting(durationMs),
    machine: `${cpu}, ${figure(cores)} cores, ${gigabytes(memoryBytes)}, ${platform}, Node ${node}`,
    ...facts,
  };
  const options = Object.entries(result.options);
  return html`<header class="head">
    <p class="head__kind">${kind}</p>
    <h1>${title}</h1>
    <p class="head__says">${says}</p>
    <dl class="facts">
      ${Object.entries(shown).map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${typeof value === 'boolean' ? String(value) : value}</dd>
          </div>`,
      )}
    </dl>
    ${
      options.length === 0
        ? undefined
        : html`<ul class="options" aria-label="Options">
            ${options.map(([name, value]) => html`<li>--${name} <b>${String(value)}</b></li>`)}
          </ul>`
    }
  </header>`;
}
