/**
 * A strict JSON reader for files that strangers wrote. `JSON.parse` keeps the last of two equal keys in silence and
 * gives `__proto__` a meaning; here an object is a Map and a repeated key is an error.
 */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
type JsonObject = ReadonlyMap<string, JsonValue>;

export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const MAX_DEPTH = 32;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A string literal without control characters; escapes are left to JSON.parse. */
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const WORD = /true|false|null/y;

/** Throws a {@link JsonError} whose message names the character at fault. */
export const parseStrictJson = (text: string): JsonValue => new Reader(text).read();

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  read(): JsonValue {
    const result = this.value(0);
    this.skip();
    if (this.at !== this.text.length) this.fail('text after the end');
    return result;
  }

  private value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) this.fail('nested too deeply');
    const first = this.skip();
    if (first === '{') return this.object(depth);
    if (first === '[') return this.array(depth);
    return first === '"' ? this.string() : this.word();
  }

  private object(depth: number): JsonObject {
    const entries = new Map<string, JsonValue>();
    this.items('{', '}', () => {
      const key = this.string();
      if (entries.has(key)) this.fail(`key "${key}" appears twice`);
      this.expect(':');
      entries.set(key, this.value(depth + 1));
    });
    return entries;
  }

  private array(depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.items('[', ']', () => items.push(this.value(depth + 1)));
    return items;
  }

  /** What is between two brackets, separated by commas. */
  private items(opening: string, closing: string, item: () => void): void {
    this.expect(opening);
    if (this.skip() !== closing) {
      item();
      while (this.skip() !== closing) {
        this.expect(',');
        item();
      }
    }
    this.expect(closing);
  }

  private string(): string {
    this.skip();
    const literal = this.take(STRING);
    return literal === undefined ? this.fail('expected a string') : (JSON.parse(literal) as string);
  }

  /** `true`, `false`, `null` or a number. */
  private word(): JsonValue {
    const word = this.take(WORD);
    if (word !== undefined) return JSON.parse(word) as boolean | null;
    const number = this.take(NUMBER);
    return number === undefined ? this.fail('expected a value') : Number(number);
  }

  private expect(character: string): void {
    if (this.skip() !== character) this.fail(`'${character}' expected`);
    this.at++;
  }

  /** The next character that is not white space; empty at the end. */
  private skip(): string {
    this.take(SPACE);
    return this.text.charAt(this.at);
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private fail(what: string): never {
    throw new JsonError(`${what} at character ${this.at}`);
  }
}

export const isObject = (value: JsonValue | undefined): value is JsonObject => value instanceof Map;
export const isArray = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);
