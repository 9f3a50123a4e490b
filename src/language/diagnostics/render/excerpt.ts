/** The part of a line that is shown, and the columns of its marked text. */
import { harmless } from './clean.js';
import { displayWidth, graphemes, widthOf } from './width.js';

interface Excerpt {
  readonly text: string;
  /** Columns before the marked text, and columns of the marked text. */
  readonly before: number;
  readonly marked: number;
}

const ELLIPSIS = '…';
/** Fraction of the columns that is shown before a mark, if the line is too long. */
const LEAD = 0.5;
/** UTF-16 units per column that are examined at most: a minified line has millions. */
const UNITS_PER_COLUMN = 8;

/** `start` and `end` are UTF-16 offsets into the line. */
export function excerpt(line: string, start: number, end: number, columns: number): Excerpt {
  const reach = columns * UNITS_PER_COLUMN;
  const from = Math.max(0, start - reach);
  const near = line.slice(from, start + reach);
  const [head, body, tail] = [
    near.slice(0, start - from),
    near.slice(start - from, Math.max(start, end) - from),
    near.slice(Math.max(start, end) - from),
  ].map(cells) as [readonly string[], readonly string[], readonly string[]];
  const isCut = from > 0 || from + near.length < line.length;
  if (!isCut && displayWidth([...head, ...body, ...tail].join('')) <= columns)
    return { text: [...head, ...body, ...tail].join(''), before: total(head), marked: total(body) };
  const lead = last(head, Math.max(Math.floor(columns * LEAD), columns - total(body) - total(tail)) - 2);
  const left = columns - total(lead) - 2;
  const shown = first(body, left);
  const trail = first(tail, left - total(shown));
  const leads = from > 0 || lead.length < head.length;
  const trails = shown.length < body.length || trail.length < tail.length || from + near.length < line.length;
  return {
    text: [leads ? ELLIPSIS : '', ...lead, ...shown, ...trail, trails ? ELLIPSIS : ''].join(''),
    before: total(lead) + (leads ? 1 : 0),
    marked: total(shown),
  };
}

const cells = (text: string): readonly string[] => [...graphemes(harmless(text.replace(/\t/g, '    ')))];

const total = (signs: readonly string[]): number => signs.reduce((sum, sign) => sum + widthOf(sign), 0);

/** As many graphemes from the start as fit. */
function first(signs: readonly string[], columns: number): readonly string[] {
  let width = 0;
  const end = signs.findIndex((sign) => {
    width += widthOf(sign);
    return width > columns;
  });
  return end < 0 ? signs : signs.slice(0, end);
}

const last = (signs: readonly string[], columns: number): readonly string[] =>
  [...first([...signs].reverse(), columns)].reverse();

/** Lines of at most `columns`, broken between words; a longer word gets a line of its own. */
export function wrapped(text: string, columns: number): readonly string[] {
  if (columns === Number.POSITIVE_INFINITY) return [text];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(' ')) {
    const wide = displayWidth(word);
    if (line !== '' && used + 1 + wide > columns) {
      lines.push(line);
      line = '';
    }
    used = line === '' ? wide : used + 1 + wide;
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
