/** Values of a template as Python has them: how they are written, and which are equal. */
import { type Budget, PLACE, VALUE } from './budget.js';
import type { JinjaValue } from './jinja.js';

/** What an operator or a filter comes to, before it is a value of the library. */
export type JinjaResult = string | boolean | { readonly int: number } | { readonly float: number };

/** A list or a tuple of the library. */
export const isList = ({ value }: JinjaValue): boolean => Array.isArray(value);

export const itemsOf = ({ value }: JinjaValue): readonly JinjaValue[] =>
  Array.isArray(value) ? (value as readonly JinjaValue[]) : [];

const entriesOf = ({ value }: JinjaValue): readonly (readonly [string, JinjaValue])[] =>
  value instanceof Map ? [...(value as ReadonlyMap<string, JinjaValue>)] : [];

/** A number, as which Python takes a boolean too. */
export function numberOf({ value }: JinjaValue): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' ? value : undefined;
}

/** Whole numbers that JavaScript does not hold would be other ones. */
export function wholeNumber(value: number): { readonly int: number } {
  if (!Number.isSafeInteger(value))
    throw new Error('it uses a whole number beyond 2^53, which is not supported');
  return { int: value === 0 ? 0 : value };
}

/** Python's `str`. */
export const textOf = (value: JinjaValue, budget: Budget): string =>
  value.type === 'StringValue'
    ? String(value.value)
    : value.type === 'UndefinedValue'
      ? ''
      : reprOf(value, budget);

/** The library's types of values, with the names that Python has for them and how it writes their values. */
type ValueType = readonly [name: string, write: (value: JinjaValue, budget: Budget) => string];
const TYPES: ReadonlyMap<string, ValueType> = new Map<string, ValueType>([
  ['StringValue', ['str', ({ value }) => quoted(String(value))]],
  ['IntegerValue', ['int', ({ value }) => String(value)]],
  ['FloatValue', ['float', ({ value }) => floatText(Number(value))]],
  ['BooleanValue', ['bool', ({ value }) => (value === true ? 'True' : 'False')]],
  ['NullValue', ['NoneType', () => 'None']],
  ['UndefinedValue', ['Undefined', () => 'Undefined']],
  ['ArrayValue', ['list', (value, budget) => `[${listText(value, budget)}]`]],
  [
    'TupleValue',
    ['tuple', (value, budget) => `(${listText(value, budget)}${itemsOf(value).length === 1 ? ',' : ''})`],
  ],
  [
    'ObjectValue',
    [
      'dict',
      (value, budget) =>
        `{${entriesOf(value)
          .map(([name, item]) => entryText(name, item, budget))
          .join(', ')}}`,
    ],
  ],
]);

const listText = (value: JinjaValue, budget: Budget): string =>
  itemsOf(value)
    .map((item) => reprOf(item, budget))
    .join(', ');

function entryText(name: string, item: JinjaValue, budget: Budget): string {
  budget.spend(name.length);
  return `${quoted(name)}: ${reprOf(item, budget)}`;
}

export const typeName = ({ type }: JinjaValue): string => TYPES.get(type)?.[0] ?? 'object';

/** Python's `repr`. Throws for what Python writes with an address. */
function reprOf(value: JinjaValue, budget: Budget): string {
  const write = TYPES.get(value.type)?.[1];
  if (write === undefined) throw new Error('it writes a function or a namespace, which is not supported');
  budget.spend(VALUE + (typeof value.value === 'string' ? value.value.length : 0));
  return budget.within(() => write(value, budget));
}

/** Python writes an exponent from 1e16 on and below 1e-4, with two digits at least. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 16)
    return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** A text as Python writes it in a list: in single quotes, or in double ones where that saves escapes. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\p{C}\p{Z}]/gu, (character) =>
    character === ' ' ? ' ' : (ESCAPES.get(character) ?? codeOf(character)),
  );
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}

function codeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}

/** Python's `==`: lists and dictionaries by what is in them, `1` like `1.0` and `true`, and no text like a number. */
export function equal(a: JinjaValue, b: JinjaValue, budget: Budget): boolean {
  budget.spend(PLACE);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined || y !== undefined) return x === y;
  if (a.type !== b.type) return false;
  if (isList(a)) {
    const others = itemsOf(b);
    return (
      itemsOf(a).length === others.length &&
      budget.within(() => itemsOf(a).every((item, i) => equalOrMissing(item, others[i], budget)))
    );
  }
  if (a.type === 'ObjectValue') {
    const others = new Map(entriesOf(b));
    const entries = entriesOf(a);
    return (
      entries.length === others.size &&
      budget.within(() => entries.every(([name, item]) => equalOrMissing(item, others.get(name), budget)))
    );
  }
  if (typeof a.value === 'string' && a.value.length === String(b.value).length) budget.spend(a.value.length);
  return a.value === b.value || a.type === 'UndefinedValue' || a.type === 'NullValue';
}

const equalOrMissing = (a: JinjaValue, b: JinjaValue | undefined, budget: Budget): boolean =>
  b !== undefined && equal(a, b, budget);
