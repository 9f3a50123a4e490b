/** Texts made of our own words and of what is in a pipeline, so that a renderer can set the latter off. */

/** What someone else wrote: a name, a value, a path, a message. */
export interface ForeignText {
  readonly code: string;
}
type Piece = string | ForeignText;
export type Cell = readonly Piece[];

export const code = (text: string): ForeignText => ({ code: text });

/** Characters of a foreign text that are shown. */
const LONGEST = 200;

/** Nothing moves a cursor, turns the direction of reading, or is endless. */
export function visible(text: string): string {
  const safe = text.replace(
    HIDDEN,
    (char) => ESCAPES[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
  const chars = [...safe];
  return chars.length <= LONGEST
    ? safe
    : `${chars.slice(0, LONGEST).join('')}… (${chars.length - LONGEST} more)`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Control and format characters, line separators, and halves of pairs. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu;

/** Names that are spelt out in one cell. */
const SPELT = 3;

/** The first names, and how many there are more. */
export function codeList(names: readonly string[]): Cell {
  const more = names.length - SPELT;
  const shown = names.slice(0, SPELT).map(code);
  return joined(more > 0 ? [...shown, `${more} more`] : shown);
}

/** `a`, `b` and `c` */
export function joined(pieces: readonly Piece[]): Cell {
  return pieces.flatMap((piece, index): Cell => {
    if (index === 0) return [piece];
    return [index === pieces.length - 1 ? ' and ' : ', ', piece];
  });
}
