/**
 * Text that is markup. Whatever is put into the template `html` is escaped, unless it is markup itself: a name from
 * outside can not become an element.
 */
export class Html {
  constructor(readonly text: string) {}
}

export type HtmlPart = string | number | Html | undefined | readonly HtmlPart[];

export function html(fixed: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(fixed.map((text, i) => text + textOf(parts[i])).join(''));
}

/** Data within a page, for its script. `</script>` and `<!--` can not occur in it; to a JSON parser it is the same. */
export function jsonBlock(id: string, data: unknown): Html {
  return html`<script type="application/json" id="${id}">
    ${new Html(JSON.stringify(data).replaceAll('<', '\\u003c'))}
  </script>`;
}

function textOf(part: HtmlPart): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return part.map(textOf).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}
