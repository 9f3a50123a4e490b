/** A self-contained page: no script, nothing loaded from anywhere, light or dark as the reader's system is. */
import { html, Markup, nothing } from '../../../language/source/markup.js';
import { BEFORE_UNIT } from '../../../pipeline/planner/quantities.js';

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

export type Cell = Markup | string | number;

interface Column {
  readonly title: string;
  /** Of numbers, which end under each other. */
  readonly right?: boolean;
}

export const left = (...titles: readonly string[]): readonly Column[] => titles.map((title) => ({ title }));
export const right = (...titles: readonly string[]): readonly Column[] =>
  titles.map((title) => ({ title, right: true }));

/** Text between backticks is code. */
export const prose = (text: string): Markup =>
  html`${text.split('`').map((part, index) => (index % 2 === 1 ? code(part) : part))}`;

export const code = (text: string): Markup => html`<code>${text}</code>`;

/** Numbers stay in one line with their units. */
export const together = (text: string): string => text.replace(new RegExp(BEFORE_UNIT, 'gu'), '\u00a0');

/**
 * The first cell of a row names it; `caption` is read aloud, and not shown. Where there is little room, each row is a
 * block of its own with the titles next to its cells, unless `isGrid`: then the table scrolls in itself. Roles are
 * spelt out, as a table that is shown as blocks would lose them.
 */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { isGrid = false }: { readonly isGrid?: boolean } = {},
): Markup {
  const side = (index: number): string => (columns[index]?.right === true ? 'n' : '');
  const cell = (content: Cell, index: number): Markup =>
    html`<td role="cell" class="${side(index)}${isEmpty(content) ? ' empty' : ''}" data-title="${columns[index]?.title ?? ''}">${content}</td>`;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table role="table"${isGrid ? nothing : html` class="stack"`}><caption class="unseen">${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(({ title }, index) => html`<th role="columnheader" scope="col" class="${side(index)}">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    ([
      first,
      ...cells
    ]) => html`<tr role="row"><th role="rowheader" scope="row">${first}</th>${cells.map((content, index) => cell(content, index + 1))}</tr>
`,
  )}</tbody></table></div>`;
}

const isEmpty = (content: Cell): boolean =>
  content === '' || (content instanceof Markup && content.text === '');
