/** Filters and tests of a template that Jinja and the library's JavaScript understand otherwise. */
import type { Budget } from './budget.js';
import type { JinjaValue } from './jinja.js';
import { isList, itemsOf, type JinjaResult, numberOf, textOf, wholeNumber } from './jinja-values.js';

/** What Python strips and splits at; JavaScript knows U+FEFF besides, and not U+001C to U+001F and U+0085. */
const SPACES = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACE = new RegExp(`[${SPACES}]`);

interface Ends {
  readonly start: boolean;
  readonly end: boolean;
}

/** A text without any of these characters, or without white space, at its ends, as Python's `str.strip`. */
export function stripped(text: string, characters: string | undefined, ends: Ends): string {
  if (characters === undefined) return withoutSpace(text, ends);
  const dropped = new Set(characters);
  const points = [...text];
  const kept = (point: string): boolean => !dropped.has(point);
  const first = ends.start ? points.findIndex(kept) : 0;
  const last = ends.end ? points.findLastIndex(kept) : points.length - 1;
  return first < 0 ? '' : points.slice(first, last + 1).join('');
}

/** White space is never one of two surrogates. */
function withoutSpace(text: string, ends: Ends): string {
  const isSpace = (at: number): boolean => SPACE.test(text.charAt(at));
  let [start, end] = [0, text.length];
  while (ends.start && start < end && isSpace(start)) start++;
  while (ends.end && start < end && isSpace(end - 1)) end--;
  return text.slice(start, end);
}

const SURROGATE = /[\ud800-\udfff]/;

/** Characters of a text, of which JavaScript counts some as two. */
const lengthOf = (text: string): number => (SURROGATE.test(text) ? [...text].length : text.length);

/** The character at a place, which counts from the end if it is negative. */
export const characterAt = (text: string, at: number): string | undefined =>
  SURROGATE.test(text) ? [...text].at(at) : text.at(at);

/** Python's `str.split` at white space, `most` times at most. */
export function wordsOf(text: string, most = Number.POSITIVE_INFINITY): readonly string[] {
  const words: string[] = [];
  let rest = stripped(text, undefined, { start: true, end: false });
  while (rest !== '' && words.length < most) {
    const at = rest.search(SPACE);
    words.push(at < 0 ? rest : rest.slice(0, at));
    rest = at < 0 ? '' : stripped(rest.slice(at), undefined, { start: true, end: false });
  }
  return rest === '' ? words : [...words, rest];
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

/** Python's `str.capitalize`. */
export function capitalized(text: string): string {
  const [first = '', ...rest] = text;
  return first.toUpperCase() + rest.join('').toLowerCase();
}

/** Python's `str.title`: a letter is large where no letter is before it. */
export const lettersTitled = (text: string): string =>
  text.replace(
    /([\p{Lu}\p{Ll}\p{Lt}])([\p{Lu}\p{Ll}\p{Lt}]*)/gu,
    (_, first: string, rest: string) => first.toUpperCase() + rest.toLowerCase(),
  );

const WORD_STARTS = new RegExp(`([-${SPACES}({[<]+)`);

/** Jinja's filter `title`: words begin after white space, a hyphen or an opening bracket. */
const wordsTitled = (text: string): string =>
  text
    .split(WORD_STARTS)
    .map((word) => capitalized(word))
    .join('');

/** A text whose line ends, those that Python knows, are all `\n`. */
const unbroken = (text: string): string => text.replace(/\r\n|[\r\v\f\u2028\u2029]/g, '\n');

/**
 * What a filter without arguments makes of a value; `undefined` leaves it to the library. Throws for what neither can do
 * as Jinja does.
 */
type Filter = (value: JinjaValue, budget: Budget) => JinjaResult | undefined;

const ofText =
  (make: (text: string) => JinjaResult): Filter =>
  (value) =>
    value.type === 'StringValue' ? make(String(value.value)) : undefined;

const WHOLE = /^\s*[+-]?\d+(?:_\d+)*\s*$/;
const DECIMAL = /^\s*[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?\s*$/;

const plain = (text: string): number => Number(text.replaceAll('_', ''));

/** The number that the whole text is; `12abc` is not a number. */
export function parsedWhole(text: string): JinjaResult | undefined {
  if (!WHOLE.test(text) && !DECIMAL.test(text)) return undefined;
  return wholeNumber(Math.trunc(plain(text)));
}

export const parsedFloat = (text: string): JinjaResult | undefined =>
  DECIMAL.test(text) ? { float: plain(text) } : undefined;

export const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['length', ofText((text) => wholeNumber(lengthOf(text)))],
  ['string', textOf],
  ['trim', ofText((text) => stripped(text, undefined, { start: true, end: true }))],
  ['capitalize', ofText(capitalized)],
  ['title', ofText(wordsTitled)],
  [
    'int',
    (value) =>
      value.type === 'FloatValue'
        ? wholeNumber(Math.trunc(numberOf(value) ?? 0))
        : value.type === 'StringValue'
          ? (parsedWhole(String(value.value)) ?? { int: 0 })
          : undefined,
  ],
  ['float', ofText((text) => parsedFloat(text) ?? { float: 0 })],
]);

/** What a filter reads a text or a list as, whether or not it has arguments. Throws where that cannot be done. */
type Operand = (value: JinjaValue, budget: Budget) => string | readonly string[] | undefined;
/** A filter of texts takes any value as one. */
const asText: Operand = (value, budget) => (value.type === 'StringValue' ? undefined : textOf(value, budget));

export const OPERANDS: ReadonlyMap<string, Operand> = new Map<string, Operand>([
  [
    'join',
    (value, budget) =>
      isList(value)
        ? itemsOf(value).map((item) => {
            const text = textOf(item, budget);
            budget.spend(text.length);
            return text;
          })
        : undefined,
  ],
  ['trim', asText],
  ['capitalize', asText],
  ['title', asText],
  ['replace', asText],
  ['upper', asText],
  ['lower', asText],
  ['indent', (value) => (value.type === 'StringValue' ? unbroken(String(value.value)) : undefined)],
]);

/** Tests that hold for values of these types, of which the library decides otherwise. */
export const TESTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['number', ['BooleanValue']],
  ['iterable', ['ObjectValue', 'UndefinedValue']],
  ['sequence', ['ObjectValue', 'UndefinedValue']],
]);
