/** A table of a page, which scrolls on its own if it is wider than the page. */
import { html, type Markup } from './markup.js';

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
