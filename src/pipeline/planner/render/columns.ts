/** Cells under each other on a terminal, where colour codes take no room and some characters take two columns. */
import { displayWidth } from '../../../language/diagnostics/render/width.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const COLOURS = /\u001b\[[0-9;]*m/g;

/** Columns of a terminal that a text takes. */
export const widthOf = (cell: string): number => displayWidth(cell.replace(COLOURS, ''));

const GAP = 2;
/** Columns of a terminal below which a text is hard to read. */
const NARROW = 24;

interface Layout {
  /** Columns of numbers, counted from 0: they end under each other. */
  readonly right?: readonly number[];
  /** Columns of the terminal: a last cell that does not fit is broken between words. Left out if there is no limit. */
  readonly width?: number;
}

/** One line per row; more where its last cell is broken. */
export function columns(
  rows: readonly (readonly string[])[],
  { right = [], width = Number.POSITIVE_INFINITY }: Layout = {},
): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, index) => {
      // a last cell needs no room after it, unless it ends where the others do
      if (index === row.length - 1 && !right.includes(index)) return;
      widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
    });
  return rows.flatMap((row) => {
    const cells = row.slice(0, -1).map((cell, index) => {
      const room = ' '.repeat((widths[index] ?? 0) - widthOf(cell));
      return (right.includes(index) ? room + cell : cell + room) + ' '.repeat(GAP);
    });
    const last = row.at(-1) ?? '';
    const room = right.includes(row.length - 1) ? (widths[row.length - 1] ?? 0) - widthOf(last) : 0;
    return hanging(cells.join('') + ' '.repeat(Math.max(0, room)), last, width);
  });
}

/** `lead` and, next to it, the lines of `text`; below it, where too little room is left next to it. */
function hanging(lead: string, text: string, width: number): readonly string[] {
  const column = widthOf(lead);
  if (text === '' || column + widthOf(text) <= width) return [(lead + text).trimEnd()];
  const indent = /^ */.exec(lead)?.[0].length ?? 0;
  const [start, lines] =
    width - column >= NARROW
      ? [column, wrapped(text, width - column)]
      : [indent + 2 * GAP, ['', ...wrapped(text, Math.max(NARROW, width - indent - 2 * GAP))]];
  return lines.map((line, index) => (index === 0 ? lead + line : ' '.repeat(start) + line).trimEnd());
}

/** Lines of at most `width` columns, unless one word is longer. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let used = 0;
  for (const word of text.split(' ')) {
    const wide = widthOf(word);
    if (lines.length === 0 || used + 1 + wide > width) {
      lines.push(word);
      used = wide;
    } else {
      lines[lines.length - 1] += ` ${word}`;
      used += 1 + wide;
    }
  }
  return lines;
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
