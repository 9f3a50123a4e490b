/**
 * A strict JSON reader for files that strangers wrote. `JSON.parse` keeps the last of two equal keys in silence and
 * gives `__proto__` a meaning; here an object is a Map and a repeated key is an error.
 */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const MAX_DEPTH = 32;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A string literal without control characters; escapes are left to JSON.parse. */
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Throws a {@link JsonError} whose message names the character at fault. */
export function parseStrictJson(text: string): JsonValue {
  let at = 0;

  function fail(what: string): never {
    throw new JsonError(`${what} at character ${at}`);
  }
  function take(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }
  function skip(): string {
    take(SPACE);
    return text.charAt(at);
  }
  function expect(character: string): void {
    if (skip() !== character) fail(`'${character}' expected`);
    at++;
  }
  function string(): string {
    skip();
    const literal = take(STRING);
    return literal === undefined ? fail('expected a string') : (JSON.parse(literal) as string);
  }
  function object(depth: number): JsonObject {
    const entries = new Map<string, JsonValue>();
    expect('{');
    if (skip() === '}') {
      at++;
      return entries;
    }
    for (;;) {
      const key = string();
      if (entries.has(key)) fail(`key "${key}" appears twice`);
      expect(':');
      entries.set(key, value(depth + 1));
      if (skip() === '}') break;
      expect(',');
    }
    at++;
    return entries;
  }
  function array(depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    expect('[');
    if (skip() === ']') {
      at++;
      return items;
    }
    for (;;) {
      items.push(value(depth + 1));
      if (skip() === ']') break;
      expect(',');
    }
    at++;
    return items;
  }
  function value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) fail('nested too deeply');
    const first = skip();
    if (first === '{') return object(depth);
    if (first === '[') return array(depth);
    if (first === '"') return string();
    for (const [word, meaning] of WORDS) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meaning;
      }
    }
    const number = take(NUMBER);
    return number === undefined ? fail('expected a value') : Number(number);
  }

  const result = value(0);
  skip();
  if (at !== text.length) fail('text after the end');
  return result;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}
export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
