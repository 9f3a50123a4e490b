/** Cells under each other on a terminal. */
import { narrowest, widthOf, wrapped } from './wrapped.js';

const GAP = 2;
/** Columns of a terminal below which a text is hard to read. */
const NARROW = 24;
/** A word that has to be broken keeps so many columns. */
const NARROWEST = 8;

interface Layout {
  /** Columns of numbers, counted from 0: they end under each other, and are never broken. */
  readonly right?: readonly number[];
  /** Columns of the terminal: cells that do not fit are broken between words. Left out if there is no limit. */
  readonly width?: number;
}

/** One line per row; more where its cells are broken. */
export function columns(
  rows: readonly (readonly string[])[],
  { right = [], width = Number.POSITIVE_INFINITY }: Layout = {},
): readonly string[] {
  const widths = naturalWidths(rows, right);
  const lasts = widest(rows.map((row) => (row.length > widths.length ? widthOf(row.at(-1) ?? '') : 0)));
  // nothing needs room after the last cell
  const room = width - (lasts > 0 ? Math.min(lasts, NARROW) : -GAP);
  const least = leastWidths(rows, widths, right);
  const broken = least.map((one, index) => (right.includes(index) ? one : Math.min(one, NARROWEST)));
  // a last cell that is long can go below the others
  const roomBelow = lasts > NARROW ? width + GAP : room;
  const allowed =
    fitTo(widths, widths, room) ??
    fitTo(widths, widths, roomBelow) ??
    fitTo(widths, least, room) ??
    fitTo(widths, least, roomBelow) ??
    fitTo(widths, broken, room);
  // what is broken takes less than it may
  const fitted = allowed?.map((wide, index) =>
    right.includes(index)
      ? wide
      : widest(
          columnOf(rows, index)
            .flatMap((cell) => brokenCell(cell, wide))
            .map(widthOf),
        ),
  );
  return rows.flatMap((row) =>
    fitted === undefined ? flowing(row, width) : besides(row, fitted, { right, width }),
  );
}

/** Of a last cell, only where it is a number: it needs no room after it. */
function naturalWidths(rows: readonly (readonly string[])[], right: readonly number[]): readonly number[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, index) => {
      if (index < row.length - 1 || right.includes(index))
        widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
    });
  return Array.from(widths, (wide) => wide ?? 0);
}

const leastWidths = (
  rows: readonly (readonly string[])[],
  widths: readonly number[],
  right: readonly number[],
): readonly number[] =>
  widths.map((wide, index) => (right.includes(index) ? wide : widest(columnOf(rows, index).map(narrowest))));

/** There may be more rows than a call takes arguments. */
const widest = (widths: readonly number[]): number => widths.reduce((most, wide) => Math.max(most, wide), 0);

/** Its cells, but for those that are the last of their row. */
const columnOf = (rows: readonly (readonly string[])[], index: number): readonly string[] =>
  rows.flatMap((row) => (index < row.length - 1 ? [row[index] ?? ''] : []));

/** Widths that take no more than `room` with their gaps: the widest gives way first, none below its `least`. */
function fitTo(
  widths: readonly number[],
  least: readonly number[],
  room: number,
): readonly number[] | undefined {
  /** No wider than `most`, where that is possible. */
  const upTo = (most: number): readonly number[] =>
    widths.map((wide, index) => Math.min(wide, Math.max(most, least[index] ?? 0)));
  const left = (fitted: readonly number[]): number => fitted.reduce((rest, wide) => rest - wide - GAP, room);
  let [low, high] = [0, Math.max(0, ...widths)];
  if (left(widths) >= 0) return widths;
  if (left(upTo(0)) < 0) return undefined;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (left(upTo(middle)) >= 0) low = middle;
    else high = middle;
  }
  // what is left over goes to the last of the widest
  const [fitted, wider] = [[...upTo(low)], upTo(high)];
  for (let index = fitted.length - 1, rest = left(fitted); index >= 0 && rest > 0; index--)
    if ((wider[index] ?? 0) > (fitted[index] ?? 0)) {
      fitted[index] = high;
      rest--;
    }
  return fitted;
}

interface Fitted {
  readonly right: readonly number[];
  readonly width: number;
}

/** The cells of a row next to each other; the last one below them, where too little room is left. */
function besides(
  row: readonly string[],
  widths: readonly number[],
  { right, width }: Fitted,
): readonly string[] {
  const own = row.slice(0, -1);
  const last = row.at(-1) ?? '';
  const cells = own.map((cell, index) => brokenCell(cell, widths[index] ?? 0));
  const start = own.reduce((sum, _, index) => sum + (widths[index] ?? 0) + GAP, 0);
  const isBelow = last !== '' && width - start < Math.min(widthOf(last), NARROW);
  const isNumber = right.includes(row.length - 1);
  const end = isBelow ? [] : wrapped(last, Math.max(1, width - start));
  const height = Math.max(1, end.length, ...cells.map((cell) => cell.length));
  const lines = Array.from({ length: height }, (_, line) =>
    [
      ...cells.map((cell, index) => {
        const text = cell[line] ?? '';
        const pad = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(text)));
        return (right.includes(index) ? pad + text : text + pad) + ' '.repeat(GAP);
      }),
      `${isNumber && line === 0 ? ' '.repeat(Math.max(0, (widths[row.length - 1] ?? 0) - widthOf(last))) : ''}${end[line] ?? ''}`,
    ]
      .join('')
      .trimEnd(),
  );
  return isBelow ? [...lines, ...indented(last, indentOf(own[0] ?? '') + 2 * GAP, width)] : lines;
}

/** A row of too many cells for the terminal: as a text, its cells whole where they fit. */
function flowing(row: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  const indent = indentOf(row[0] ?? '') + 2 * GAP;
  for (const cell of row.filter((text) => widthOf(text) > 0)) {
    const line = lines.at(-1);
    if (line !== undefined && widthOf(line) + GAP + widthOf(cell) <= width)
      lines[lines.length - 1] = `${line}${' '.repeat(GAP)}${cell}`;
    else lines.push(...(line === undefined ? brokenCell(cell, width) : indented(cell, indent, width)));
  }
  return lines.map((line) => line.trimEnd());
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const INDENT = /^(?:\u001b\[[0-9;]*m)*( *)/;
const indentOf = (cell: string): number => INDENT.exec(cell)?.[1]?.length ?? 0;

const indented = (text: string, indent: number, width: number): readonly string[] =>
  wrapped(text, Math.max(NARROWEST, width - indent)).map((line) => ' '.repeat(indent) + line);

/** The lines of a cell, each as far in as the first. */
function brokenCell(cell: string, width: number): readonly string[] {
  if (widthOf(cell) <= width) return [cell];
  const indent = indentOf(cell);
  const bare = indent === 0 ? cell : cell.replace(' '.repeat(indent), '');
  return wrapped(bare, Math.max(1, width - indent)).map((line) => ' '.repeat(indent) + line);
}

/** The colours that a plan is shown in; picocolors has this shape, and `PLAIN` none. */
export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
  cyan(text: string): string;
}

const same = (text: string): string => text;
export const PLAIN: Palette = { bold: same, dim: same, green: same, yellow: same, red: same, cyan: same };
