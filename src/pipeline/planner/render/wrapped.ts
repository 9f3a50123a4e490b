/** Lines of a terminal: broken between words, where colour codes take no room and some characters take two columns. */
import { displayWidth, graphemes } from '../../../language/diagnostics/render/width.js';
import { BEFORE_UNIT } from '../quantities.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const COLOURS = /\u001b\[[0-9;]*m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const PARTS = /\u001b\[[0-9;]*m|[^\u001b]+/g;

/** Columns of a terminal that a text takes. */
export const widthOf = (cell: string): number => displayWidth(cell.replace(COLOURS, ''));

/** A space before a unit belongs to its number, and so does the one in `1 min 20 s`. */
const BETWEEN_WORDS = new RegExp(String.raw`(?!${BEFORE_UNIT}) (?!(?<=\d (?:min|h) )\d)`, 'u');
/** What separates figures: each stays whole. */
const FIGURES = ' · ';

/** Lines that one word is broken into, at most: the rest of it is cut off. */
const MOST_PIECES = 50;
/** Characters of a text that are looked at: nobody reads as many, and each is measured. */
const LONGEST = 100_000;

/** Lines of at most `width` columns; a longer word is broken, after a slash if it has one. Colours go on in the next line. */
export function wrapped(written: string, width: number): readonly string[] {
  const text = written.length > LONGEST ? `${written.slice(0, LONGEST)}…` : written;
  const lines: string[] = [];
  let used = 0;
  for (const word of wordsOf(text, width)) {
    const wide = widthOf(word);
    if (lines.length === 0 || used + 1 + wide > width) {
      const pieces = wide > width ? piecesOf(word, Math.max(1, width)) : [word];
      for (const piece of pieces) lines.push(piece);
      used = widthOf(pieces.at(-1) ?? '');
    } else {
      lines[lines.length - 1] += ` ${word}`;
      used += 1 + wide;
    }
  }
  return coloured(lines);
}

/** The narrowest that the text can be without a break inside a word, but after a slash. */
export const narrowest = (text: string): number =>
  wordsOf(text, 0)
    .flatMap((word) => word.split(/(?<=\/)/))
    .reduce((widest, word) => Math.max(widest, widthOf(word)), 0);

function wordsOf(text: string, width: number): readonly string[] {
  const figures = text.split(FIGURES);
  return figures.flatMap((figure, index) => {
    const whole = index < figures.length - 1 ? `${figure} ·` : figure;
    return figures.length > 1 && widthOf(whole) <= width ? [whole] : whole.split(BETWEEN_WORDS);
  });
}

function piecesOf(word: string, width: number): readonly string[] {
  const pieces = [''];
  let used = 0;
  for (const part of partsOf(word, width)) {
    const wide = widthOf(part);
    if (used + wide > width && used > 0) {
      if (pieces.length === MOST_PIECES) {
        pieces[pieces.length - 1] += '…';
        return pieces;
      }
      pieces.push('');
      used = 0;
    }
    pieces[pieces.length - 1] += part;
    used += wide;
  }
  return pieces;
}

/** What stays whole: what ends with a slash and fits, codes of colours, characters. */
function* partsOf(word: string, width: number): Generator<string> {
  for (const part of word.split(/(?<=\/)/))
    if (widthOf(part) <= width) yield part;
    else
      for (const [section] of part.matchAll(PARTS))
        if (section.startsWith('\u001b')) yield section;
        else yield* graphemes(section);
}

const isOpening = (code: string): boolean => !/\[(?:0|22|23|24|27|39|49)?m$/.test(code);

/** Each line with its own codes: what is open at its end is closed there, and opened again in the next. */
function coloured(lines: readonly string[]): readonly string[] {
  let open: readonly string[] = [];
  return lines.map((line) => {
    const before = open.join('');
    for (const [code] of line.matchAll(COLOURS)) open = isOpening(code) ? [...open, code] : open.slice(0, -1);
    return `${before}${line}${open.length > 0 ? '\u001b[0m' : ''}`;
  });
}
