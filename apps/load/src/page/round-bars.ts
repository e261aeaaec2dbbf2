import type { Colours } from './colours.js';
import { html, type Html } from './html.js';
import { counted, figure } from './words.js';

export interface RoundBars {
  readonly title: string;
  readonly unit: string;
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly names: readonly string[];
  readonly colours: Colours;
}

/** A bar for each system up to its median, and a dot for each round. From 0, so that lengths may be compared. */
export function roundBars({ title, unit, values, names, colours }: RoundBars): Html {
  const measured = names.filter((name) => (values[name]?.length ?? 0) > 0);
  const most = Math.max(...measured.flatMap((name) => values[name]!));
  const percent = (value: number): string => (most > 0 ? ((value / most) * 100).toFixed(2) : '0');
  return html`<figure class="rounds">
    <figcaption>${title}</figcaption>
    ${measured.map((name) => {
      const own = values[name]!;
      const median = medianOf(own);
      const [least, largest] = [Math.min(...own), Math.max(...own)].map(figure);
      const spread = `${name}: median ${figure(median)} ${unit}, ${least} to ${largest} in ${counted(own.length, 'round')}`;
      return html`<div class="round" data-colour="${colours.of(name)}" title="${spread}">
        <span class="round__name">${name}</span>
        <span class="round__track" role="img" aria-label="${spread}">
          <i class="round__bar" style="width: ${percent(median)}%"></i>
          ${own.map(
            (value, i) =>
              html`<i
                class="round__dot"
                style="left: ${percent(value)}%"
                title="round ${i + 1}: ${figure(value)} ${unit}"
              ></i>`,
          )}
        </span>
        <b class="round__median">${figure(median)} <small>${unit}</small></b>
      </div>`;
    })}
  </figure>`;
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
