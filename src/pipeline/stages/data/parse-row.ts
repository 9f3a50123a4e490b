import { type Line, LONGEST_LINE } from './file-lines.js';
import { quietFault } from './json-text.js';

export type Row = Readonly<Record<string, unknown>>;

/** Why a row is not kept. A class, since a row may have columns of the same names. */
export class RowFault {
  constructor(
    readonly reason: 'malformed' | 'missing_column' | 'wrong_type' | 'empty',
    readonly detail: string,
  ) {}
}

const malformed = (detail: string): RowFault => new RowFault('malformed', detail);

/** The fault of a value that is of another kind than it must be. */
export const mustBe = (at: string, value: unknown, what: string): RowFault =>
  new RowFault('wrong_type', `${at} is ${kindOf(value)}, must be ${what}`);

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const MEBI = 1 << 20;

/** A row as a JSON object, or why it is not one. */
export function parseLine(line: Line): Row | RowFault {
  if (line.tooLong)
    return malformed(`the row has ${line.length} bytes; at most ${LONGEST_LINE / MEBI} MiB are read`);
  if (line.fault !== undefined) return malformed(line.fault);
  const text = decoded(line.bytes);
  if (text instanceof RowFault) return text;
  if (text.startsWith(MARK))
    return malformed(
      'it begins with a byte-order mark (U+FEFF), as where files with one were joined: remove it',
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return malformed(`not JSON: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return malformed(`no JSON object, but ${kindOf(value)}`);
  const fault = quietFault(text);
  if (fault !== undefined) return malformed(fault);
  if (LONE_SURROGATES.test(text) && !wellFormed(value))
    return malformed('it has a string that is not valid Unicode: a lone surrogate, as in `\\ud800`');
  if (MAY_BE_INFINITE.test(text) && !allFinite(value))
    return malformed('it has a number that is too large for any computer, such as 1e999');
  return value as Row;
}

const MARK = '\ufeff';

/** As {@link decoded}; NUL, which is in no text, mostly means another encoding. */
export function decodedText(bytes: Uint8Array): string | RowFault {
  const nul = bytes.indexOf(0);
  return nul < 0 ? decoded(bytes) : malformed(`not text: byte ${nul + 1} of the row is NUL`);
}

const NOT_TEXT = 'not UTF-8';

/** Whether a row was dropped because its bytes are not text, by the detail of its fault. */
export const isNotText = (detail: string): boolean => detail.startsWith(NOT_TEXT);

/** The bytes of a row as text, or why they are not text. */
function decoded(bytes: Uint8Array): string | RowFault {
  try {
    return strict.decode(bytes);
  } catch {
    return malformed(`${NOT_TEXT}: byte ${firstInvalid(bytes)} of the row is not valid`);
  }
}

/** JSON can name what no UTF-8 can hold; only escapes can, so that other lines need no second look. */
const LONE_SURROGATES = /\\u[dD][89a-fA-F]/;

/** Only an exponent or hundreds of digits make a number that large. */
const MAY_BE_INFINITE = /\d[eE]\+?\d|\D\d{309}/;

/** Whether all texts in a JSON value are Unicode. */
const wellFormed = (value: unknown): boolean =>
  everyPart(value, (part) => typeof part !== 'string' || !/\p{Surrogate}/u.test(part));

/**
 * Whether all numbers in a JSON value are finite: `1e999` is read as infinity, which JSON has no word for, and would be
 * written as `null`.
 */
const allFinite = (value: unknown): boolean =>
  everyPart(value, (part) => typeof part !== 'number' || Number.isFinite(part));

/** Nesting is as deep as `JSON.parse` lets through. */
function everyPart(value: unknown, holds: (part: unknown) => boolean): boolean {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (!holds(next)) return false;
    if (typeof next === 'object' && next !== null)
      for (const [name, inner] of Object.entries(next)) open.push(name, inner);
  }
  return true;
}

/** What a JSON value is, for people. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Place (from 1) of the first byte that belongs to no whole character. */
function firstInvalid(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (decodes(bytes.subarray(0, middle), true)) low = middle;
    else high = middle - 1;
  }
  // As a stream the prefix may end inside a character: that is where the fault begins.
  while (!decodes(bytes.subarray(0, low), false)) low--;
  return low + 1;
}

function decodes(bytes: Uint8Array, stream: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}
