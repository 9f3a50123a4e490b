/** A self-contained page: no script, nothing loaded from anywhere, light or dark as the reader's system is. */

export function page(title: string, style: string, body: Markup): string {
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
${body}</body>
</html>`;
  return `${text}\n`;
}

/** Text that is already HTML. Everything else that goes into a template is escaped. */
export class Markup {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

type Part = Markup | string | number | undefined | readonly Part[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '');

/** A template whose values are escaped unless they are `Markup`; lists are joined, `undefined` is nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, string, index) => text + write(parts[index - 1]) + string));
}

function write(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return escapeHtml(String(part));
  return part.map(write).join('');
}

export const nothing = new Markup('');

export type Cell = Markup | string | number;

export interface Column {
  readonly title: string;
  /** Of numbers, which end under each other. */
  readonly right?: boolean;
}

export const left = (...titles: readonly string[]): readonly Column[] => titles.map((title) => ({ title }));
export const right = (...titles: readonly string[]): readonly Column[] =>
  titles.map((title) => ({ title, right: true }));

/** The first cell of a row names it; `caption` is read aloud, and not shown. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): Markup {
  const side = (index: number): string => (columns[index]?.right === true ? 'n' : '');
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption class="unseen">${caption}</caption>
<thead><tr>${columns.map(({ title }, index) => html`<th scope="col" class="${side(index)}">${title}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([
      first,
      ...cells
    ]) => html`<tr><th scope="row">${first}</th>${cells.map((cell, index) => html`<td class="${side(index + 1)}">${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}
