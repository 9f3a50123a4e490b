/** Filters and tests of a template that Jinja and the library's JavaScript understand otherwise. */
import type { JinjaValue } from './jinja.js';
import {
  floatText,
  isList,
  itemsOf,
  type JinjaResult,
  numberOf,
  textOf,
  wholeNumber,
} from './jinja-values.js';
import { capitalized, lengthOf, stripped, unbroken, wordsTitled } from './python-strings.js';

/**
 * What a filter without arguments makes of a value; `undefined` leaves it to the library. Throws for what neither can do
 * as Jinja does.
 */
type Filter = (value: JinjaValue) => JinjaResult | undefined;

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

/** Of what JSON has no word for, or JavaScript another. */
function checkJson(value: JinjaValue): void {
  if (value.type === 'UndefinedValue') throw new Error('Undefined is not JSON serializable');
  if (value.type === 'FloatValue' && floatText(Number(value.value)) !== JSON.stringify(value.value))
    throw new Error(`it writes ${floatText(Number(value.value))} as JSON, which is not supported`);
  const inner =
    value.value instanceof Map ? [...(value.value.values() as Iterable<JinjaValue>)] : itemsOf(value);
  inner.forEach(checkJson);
}

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
        : ofText((text) => parsedWhole(text) ?? { int: 0 })(value),
  ],
  ['float', ofText((text) => parsedFloat(text) ?? { float: 0 })],
]);

/** What a filter reads a text or a list as, whether or not it has arguments. Throws where that cannot be done. */
export const OPERANDS: ReadonlyMap<string, (value: JinjaValue) => string | readonly string[] | undefined> =
  new Map<string, (value: JinjaValue) => string | readonly string[] | undefined>([
    ['join', (value) => (isList(value) ? itemsOf(value).map(textOf) : undefined)],
    ['indent', (value) => (value.type === 'StringValue' ? unbroken(String(value.value)) : undefined)],
    [
      'tojson',
      (value) => {
        checkJson(value);
        return undefined;
      },
    ],
  ]);

/** Tests that the library decides otherwise; `undefined` leaves a value to it. */
export const TESTS: ReadonlyMap<string, (value: JinjaValue) => boolean | undefined> = new Map<
  string,
  (value: JinjaValue) => boolean | undefined
>([
  ['number', ({ type }) => type === 'BooleanValue' || undefined],
  ['iterable', ({ type }) => type === 'ObjectValue' || type === 'UndefinedValue' || undefined],
  ['sequence', ({ type }) => type === 'ObjectValue' || type === 'UndefinedValue' || undefined],
]);
