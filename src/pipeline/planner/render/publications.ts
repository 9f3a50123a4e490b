/** What a run publishes, and where, for a terminal. */
import type { Plan } from '../plan-json.js';
import { placeText, sizeText } from '../publication.js';
import { columns, type Palette } from './columns.js';

export function publicationTable({ stages }: Plan, palette: Palette, width?: number): readonly string[] {
  const rows = stages.flatMap(({ name, action, publishes }) =>
    publishes === undefined || action === 'cached'
      ? []
      : [[`  ${name}`, placeText(publishes), palette.dim(sizeText(publishes))]],
  );
  return rows.length === 0 ? [] : [palette.bold('Publishes'), ...columns(rows, { width })];
}
