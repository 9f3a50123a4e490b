/** JSON with the spans of its values, so that errors in a configuration are shown in place. */
import type { Span } from '../source/span.js';

export type JsonNode = { readonly span: Span } & (
  | { readonly kind: 'object'; readonly entries: readonly JsonEntry[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'other'; readonly value: number | boolean | null }
);

export interface JsonEntry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: JsonNode;
}

/** Invalid JSON: where, and what was expected there. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  constructor(
    readonly span: Span,
    readonly expected: string,
  ) {
    super(expected);
  }
}

const SPACE = /[ \t\r\n]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a string of JSON has none
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\b/y;
const DEEPEST = 64;

/** Throws a {@link JsonFault}. A byte-order mark is skipped. */
export function readJson(file: string, text: string): JsonNode {
  let at = text.startsWith('\ufeff') ? 1 : 0;
  const span = (start: number, end = at): Span => ({ file, start, end });
  const fail = (expected: string): never => {
    throw new JsonFault(span(at, Math.min(text.length, at + 1)), expected);
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  const take = (sign: string): boolean => {
    match(SPACE);
    if (text[at] !== sign) return false;
    at++;
    return true;
  };
  /** Items up to `close`, separated by commas. */
  const series = <T>(close: string, item: () => T): readonly T[] => {
    if (take(close)) return [];
    const items = [item()];
    while (take(',')) items.push(item());
    if (!take(close)) fail(`expected \`,\` or \`${close}\``);
    return items;
  };
  const string = (): { readonly value: string; readonly span: Span } => {
    match(SPACE);
    const start = at;
    const found = match(STRING) ?? fail('expected a string in double quotes');
    return { value: JSON.parse(found) as string, span: span(start) };
  };
  const entry = (depth: number): JsonEntry => {
    const key = string();
    if (!take(':')) fail('expected `:`');
    return { key: key.value, keySpan: key.span, value: value(depth + 1) };
  };
  const value = (depth: number): JsonNode => {
    if (depth > DEEPEST) fail('nested too deeply');
    match(SPACE);
    const start = at;
    if (take('{')) return { kind: 'object', entries: series('}', () => entry(depth)), span: span(start) };
    if (take('[')) return { kind: 'array', items: series(']', () => value(depth + 1)), span: span(start) };
    if (text[at] === '"') return { kind: 'string', ...string() };
    const word = match(WORD) ?? fail('expected a value');
    return { kind: 'other', value: JSON.parse(word) as number | boolean | null, span: span(start) };
  };
  const root = value(0);
  match(SPACE);
  if (at < text.length) fail('expected the end of the file');
  return root;
}
