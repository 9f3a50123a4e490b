/** A comparison for a terminal. */
import { columns, type Palette } from '../../../pipeline/planner/render/columns.js';
import { wrapped } from '../../../pipeline/planner/render/wrapped.js';
import type { Comparison } from '../types.js';
import { baseName, headline, noteCells } from './headline.js';
import { type Cell, visible } from './pieces.js';
import { type Row, type Section, sectionsOf } from './sections.js';

export function renderComparisonText(
  comparison: Comparison,
  palette: Palette,
  width = Number.POSITIVE_INFINITY,
): string {
  const { pipeline, notes } = comparison;
  const title = `${palette.bold(visible(pipeline))} ${palette.dim(`against ${visible(baseName(comparison))}`)}`;
  return [
    [title, ...headline(comparison)].flatMap((line) => wrapped(line, width)).join('\n'),
    ...sectionsOf(comparison).map((section) => table(section, palette, width)),
    ...(notes.length === 0
      ? []
      : [
          noteCells(notes)
            .flatMap((note) => wrapped(`note: ${cellText(note, palette)}`, width))
            .join('\n'),
        ]),
  ].join('\n\n');
}

function table({ title, head, rows }: Section, palette: Palette, width: number): string {
  const marks: Readonly<Record<Row['tone'], string>> = {
    good: palette.green('+'),
    new: palette.green('+'),
    gone: palette.red('-'),
    bad: palette.yellow('!'),
    plain: palette.yellow('~'),
  };
  const lines = rows.map(({ tone, cells }) => [
    `  ${marks[tone]}`,
    ...cells.map((cell) => cellText(cell, palette)),
  ]);
  return [
    palette.bold(title),
    ...columns([['', ...head.map((text) => palette.dim(text))], ...lines], { width }),
  ].join('\n');
}

const cellText = (cell: Cell, palette: Palette): string =>
  cell.map((piece) => (typeof piece === 'string' ? palette.dim(piece) : visible(piece.code))).join('');
