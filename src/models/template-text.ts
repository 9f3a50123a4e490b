/**
 * Jinja's `trim` is Python's `strip`; the JavaScript engine's is `String.prototype.trim`. They part ways over six
 * characters: Python strips U+001C to U+001F and U+0085, JavaScript strips U+FEFF. Text that holds one of them is
 * rewritten before it is rendered, so that JavaScript strips what Python would, and written back afterwards.
 */
const STRIPPED = ['\u001c', '\u001d', '\u001e', '\u001f', '\u0085'];
const MARK = '\ufeff';
const DIFFERENT = new RegExp(`[${STRIPPED.join('')}${MARK}]`, 'g');
/** What both strip. */
const SPACES = [
  ...'\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u1680\u2028\u2029',
];
/** Noncharacters, which are never exchanged: nobody strips them. */
const NONCHARACTERS = Array.from({ length: 0x20 }, (_, i) => String.fromCharCode(0xfdd0 + i));

export interface TextCodec {
  readonly encode: (text: string) => string;
  readonly decode: (text: string) => string;
}

const IDENTITY: TextCodec = { encode: (text) => text, decode: (text) => text };

/**
 * The codec for a rendering of these texts; nothing is done where none holds such a character. One character stands for
 * one, so that positions in a text stay what they are. Throws where the texts leave none that could stand for another.
 */
export function stripCodec(texts: readonly string[]): TextCodec {
  const given = new Set(texts.flatMap((text) => text.match(DIFFERENT) ?? []));
  if (given.size === 0) return IDENTITY;
  const isFree = (character: string): boolean => !texts.some((text) => text.includes(character));
  const spaces = SPACES.filter(isFree);
  const codes = new Map(
    [...given].map((character) => [
      character,
      character === MARK ? NONCHARACTERS.find(isFree) : spaces.pop(),
    ]),
  );
  if ([...codes.values()].includes(undefined)) throw new Error('the chat uses every space and noncharacter');
  const characters = new Map([...codes].map(([character, code]) => [code, character]));
  const coded = new RegExp(`[${[...characters.keys()].join('')}]`, 'g');
  return {
    encode: (text) => text.replace(DIFFERENT, (character) => codes.get(character) ?? character),
    decode: (text) => text.replace(coded, (code) => characters.get(code) ?? code),
  };
}

export interface Ends {
  readonly start: boolean;
  readonly end: boolean;
}

/** A text without any of these characters at its ends, as Python's `str.strip(chars)`. */
export function stripped(text: string, characters: string, ends: Ends): string {
  const dropped = new Set(characters);
  const points = [...text];
  const kept = (point: string): boolean => !dropped.has(point);
  const first = ends.start ? points.findIndex(kept) : 0;
  const last = ends.end ? points.findLastIndex(kept) : points.length - 1;
  return first < 0 ? '' : points.slice(first, last + 1).join('');
}

/** What Python's `str.find` and `str.rfind` give: positions count code points, and both ends may be negative. */
export function found(method: 'find' | 'rfind', text: string, args: readonly unknown[]): number {
  const [part, from, to] = args;
  const points = [...text];
  if (typeof part !== 'string') throw new Error(`${method}() looks for a text`);
  const start = place(from, 0, points.length);
  const end = Math.min(points.length, place(to, points.length, points.length));
  if (start > end) return -1;
  const window = points.slice(start, end).join('');
  const at = method === 'find' ? window.indexOf(part) : window.lastIndexOf(part);
  return at < 0 ? -1 : start + [...window.slice(0, at)].length;
}

/** A place in a text of this length, as Python reads one: from the end if it is negative, and never before the start. */
function place(value: unknown, otherwise: number, length: number): number {
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw new Error('a place in a text is a whole number');
  return value < 0 ? Math.max(0, value + length) : value;
}
