/** The filter `tojson` of transformers, which is Python's `json.dumps` with other defaults. */
import type { JinjaValue } from './jinja.js';
import { floatText, isList, itemsOf } from './jinja-values.js';
import type { PricedArguments } from './prices.js';

interface JsonStyle {
  readonly ascii: boolean;
  /** Before each level of what is written on lines of its own; `undefined`: on one line. */
  readonly indent: string | undefined;
  readonly item: string;
  readonly key: string;
  readonly sorted: boolean;
}

/** In the order in which transformers takes them. */
const ARGUMENTS = ['ensure_ascii', 'indent', 'separators', 'sort_keys'] as const;

function styleOf({ placed, named }: PricedArguments): JsonStyle {
  const given = new Map(ARGUMENTS.map((name, place) => [name, named.get(name) ?? placed[place]]));
  const indent = indentOf(given.get('indent'));
  const [item, key] = itemsOf(given.get('separators') ?? { type: 'NullValue', value: null });
  return {
    ascii: given.get('ensure_ascii')?.value === true,
    indent,
    item: typeof item?.value === 'string' ? item.value : indent === undefined ? ', ' : ',',
    key: typeof key?.value === 'string' ? key.value : ': ',
    sorted: given.get('sort_keys')?.value === true,
  };
}

/** Spaces, or the text itself. */
function indentOf(given: JinjaValue | undefined): string | undefined {
  const { value } = given ?? {};
  return typeof value === 'string' ? value : typeof value === 'number' ? ' '.repeat(value) : undefined;
}

/** What has been paid for; no deeper than what was paid for. */
export const toJson = (value: JinjaValue, args: PricedArguments): string => written(value, styleOf(args), 0);

function written(value: JinjaValue, style: JsonStyle, level: number): string {
  if (isList(value))
    return bracketed(
      itemsOf(value).map((inner) => written(inner, style, level + 1)),
      '[]',
      style,
      level,
    );
  if (value.value instanceof Map) {
    const entries = [...(value.value as ReadonlyMap<string, JinjaValue>)];
    if (style.sorted) entries.sort(([a], [b]) => byCharacters(a, b));
    return bracketed(
      entries.map(([name, inner]) => text(name, style) + style.key + written(inner, style, level + 1)),
      '{}',
      style,
      level,
    );
  }
  if (value.type === 'FloatValue') return floatOf(Number(value.value));
  if (typeof value.value === 'bigint') return String(value.value);
  return typeof value.value === 'string' ? text(value.value, style) : (JSON.stringify(value.value) ?? 'null');
}

function bracketed(
  parts: readonly string[],
  [open, close]: string,
  { indent, item }: JsonStyle,
  level: number,
): string {
  if (parts.length === 0 || indent === undefined) return `${open}${parts.join(item)}${close}`;
  const line = `\n${indent.repeat(level + 1)}`;
  return `${open}${line}${parts.join(item + line)}\n${indent.repeat(level)}${close}`;
}

/** Where Python has a name that JSON does not know. */
const NAMES: Readonly<Record<string, string>> = { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' };

function floatOf(value: number): string {
  const written = floatText(value);
  return NAMES[written] ?? written;
}

function text(value: string, { ascii }: JsonStyle): string {
  const json = JSON.stringify(value);
  return ascii
    ? json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json;
}

/** Python compares characters, of which JavaScript sees some as two. */
function byCharacters(a: string, b: string): number {
  const [x, y] = [[...a], [...b]];
  const at = x.findIndex((character, place) => character !== y[place]);
  return at < 0 ? x.length - y.length : (x[at]?.codePointAt(0) ?? 0) - (y[at]?.codePointAt(0) ?? -1);
}
