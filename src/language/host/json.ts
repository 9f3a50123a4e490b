/**
 * JSON from outside (files that others may have written, answers of servers, output of other programs): its text is
 * parsed, and a schema looks at the value before anything believes it. Schemas are valibot's; they check and change
 * nothing, so that a digest of the value is one of the text, and fields that a newer version wrote stay.
 */
import * as v from 'valibot';
import { type Host, HostError } from './host.js';

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Why a text or a value is not what a schema describes. */
export class JsonFault {
  constructor(
    /** Without a full stop: ``it has no `version` ``, `` `files["a.txt"].bytes` must be a count, not -1 ``. */
    readonly detail: string,
    /** What the schema looked at; `undefined` if the text is not JSON at all. */
    readonly value?: unknown,
  ) {}
}

/** `JSON.parse` reads what is nested as deep as memory lasts; nothing that walks through it by calling itself does. */
const DEEPEST = 500;

const [QUOTE, BACKSLASH, LIST, LIST_END, OBJECT, OBJECT_END] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d];

function isTooDeep(text: string): boolean {
  if (text.length <= DEEPEST) return false;
  let depth = 0;
  for (let at = 0; at < text.length && depth <= DEEPEST; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfText(text, at) - 1;
      if (at < 0) return false;
    } else if (code === LIST || code === OBJECT) depth++;
    else if (code === LIST_END || code === OBJECT_END) depth--;
  }
  return depth > DEEPEST;
}

/** The place after the text that begins at a quote; 0 if it has no end. */
export function endOfText(text: string, quote: number): number {
  let at = quote;
  do at = text.indexOf('"', at + 1);
  while (at >= 0 && isEscaped(text, at));
  return at + 1;
}

function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === BACKSLASH) before--;
  return (at - before) % 2 === 1;
}

/** `JSON.parse`, which refuses what is nested too deeply to be walked through. Throws a `SyntaxError`. */
export function parseFlat(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError(`it is nested more than ${DEEPEST} levels deep`);
  return JSON.parse(text);
}

/** The value of a text, which may begin with a byte order mark. */
export function parseJson<const S extends v.GenericSchema>(
  schema: S,
  text: string,
): v.InferInput<S> | JsonFault {
  let value: unknown;
  try {
    value = parseFlat(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return new JsonFault(error instanceof Error ? error.message : String(error));
  }
  return checkJson(schema, value);
}

/** The value itself, which now has a type. */
export function checkJson<const S extends v.GenericSchema>(
  schema: S,
  value: unknown,
): v.InferInput<S> | JsonFault {
  if (v.is(schema, value)) return value;
  const [issue] = v.safeParse(schema, value, { abortEarly: true, message: expectation }).issues ?? [];
  return new JsonFault(issue === undefined ? 'it has another form' : faultOf(issue), value);
}

/** As {@link parseJson}, for what is of no use where anything is wrong with it. */
export function tryJson<const S extends v.GenericSchema>(
  schema: S,
  text: string,
): v.InferInput<S> | undefined {
  const value = parseJson(schema, text);
  return value instanceof JsonFault ? undefined : value;
}

/** What the program itself wrote, and the store has verified: anything else is a bug, and an `Error`. */
export const ownJson = <const S extends v.GenericSchema>(schema: S, text: string): v.InferInput<S> =>
  orThrow(parseJson(schema, text));

/** The same of a value. */
export const ownValue = <const S extends v.GenericSchema>(schema: S, value: unknown): v.InferInput<S> =>
  orThrow(checkJson(schema, value));

function orThrow<T>(value: T | JsonFault): T {
  if (value instanceof JsonFault) throw new Error(value.detail);
  return value;
}

/** `undefined` if there is no such file, too. */
export function tryJsonFile<const S extends v.GenericSchema>(
  schema: S,
  host: Pick<Host, 'readText'>,
  path: string,
): v.InferInput<S> | undefined {
  try {
    return tryJson(schema, host.readText(path));
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/**
 * What the lines of a text hold that are as the schema says; others, which a kill may have cut off, are left out.
 * `parses` says which lines are looked at.
 */
export const jsonLines = <const S extends v.GenericSchema>(
  schema: S,
  text: string,
  parses: (line: string) => boolean = (line) => line !== '',
): v.InferInput<S>[] =>
  text.split('\n').flatMap((line) => {
    const value = parses(line) ? tryJson(schema, line) : undefined;
    return value === undefined ? [] : [value];
  });

/** What a schema describes, to be read only. */
export type JsonOf<S extends v.GenericSchema> = DeepReadonly<v.InferInput<S>>;

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** What is read of a `package.json`. */
export const PACKAGE = v.object({ version: v.string() });

/** An object with any names (`__proto__` too), whose values are all of one form. */
export function record<const S extends v.GenericSchema>(
  value: S,
  name?: { readonly holds: (name: string) => boolean; readonly must: string },
) {
  return v.pipe(
    v.custom<Record<string, v.InferInput<S>>>(isJson, 'an object'),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const [key, each] of Object.entries(dataset.value)) {
        const at = { type: 'object', origin: 'value', input: dataset.value, key, value: each } as const;
        if (name !== undefined && !name.holds(key)) {
          addIssue({ message: name.must, input: key, path: [{ ...at, origin: 'key' }] });
          return;
        }
        if (v.is(value, each)) continue;
        for (const issue of v.safeParse(value, each, { abortEarly: true, message: expectation }).issues ?? [])
          addIssue({ message: issue.message, input: issue.input, path: [at, ...(issue.path ?? [])] });
        return;
      }
    }),
  );
}

/** A value of which a test in plain code says whether it holds; `must` completes "it must be …". */
export const that = <T>(holds: (value: unknown) => value is T, must: string) => v.custom<T>(holds, must);

export const finite = that((value): value is number => Number.isFinite(value), 'a number');
/** A number that was computed; JSON has neither NaN nor infinity, and writes either as null. */
export const figure = that(
  (value): value is number => typeof value === 'number' || value === null,
  'a number',
);
export const count = that(
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
  'a count',
);
/** A whole number above 0. */
export const positive = that(
  (value): value is number => Number.isSafeInteger(value) && Number(value) > 0,
  'a whole number above 0',
);
export const version = <const N extends number>(number: N) =>
  that((value): value is N => value === number, `${number}, which this ftpc reads`);
/** Lower-case hexadecimal digits. */
export const hex = (digits: number, must: string) =>
  that((value): value is string => typeof value === 'string' && isHex(value, digits), must);
export const sha256 = hex(64, 'a SHA-256 digest');
export const anyObject = that(isJson, 'an object');

const isHex = (text: string, digits: number): boolean => text.length === digits && /^[0-9a-f]+$/.test(text);

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
};

/** What a schema expected, in the words of a message; the message of a field that is missing is empty. */
function expectation({ expected, path }: v.BaseIssue<unknown>): string {
  if (path?.at(-1)?.origin === 'key') return '';
  const text = expected ?? 'something else';
  const kinds = text.replace(/^\((.*)\)$/, '$1').split(' | ');
  return kinds.map((kind) => EXPECTED[kind] ?? kind).join(' or ');
}

function faultOf({ type, message, path, input, expected }: v.BaseIssue<unknown>): string {
  const place = path?.map(({ key }) => key) ?? [];
  if (message === '') {
    const [object, field] = [place.slice(0, -1), place.slice(-1)];
    if (expected === 'never')
      return `${object.length === 0 ? 'it' : pathOf(object)} has ${pathOf(field)}, which is not known`;
    return `${object.length === 0 ? 'it' : pathOf(object)} has no ${pathOf(field)}`;
  }
  const found = type === 'check' ? '' : `, not ${received(input)}`;
  return `${place.length === 0 ? 'it' : pathOf(place)} must be ${message}${found}`;
}

/** `` `files["a.txt"].bytes` `` */
function pathOf(keys: readonly unknown[]): string {
  const parts = keys.map((key) =>
    typeof key === 'string' && /^[A-Za-z_]\w*$/.test(key)
      ? `.${key}`
      : `[${typeof key === 'string' ? quoted(key) : String(key)}]`,
  );
  return `\`${parts.join('').replace(/^\./, '')}\``;
}

function received(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return 'a list';
  return isJson(value) ? 'an object' : String(value);
}

const LONGEST = 100;

/** On one line, not at length, and without what speaks to a terminal. */
function quoted(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f`]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
