/**
 * JSON whose text matters: JavaScript writes `2.0` as `2`, keeps sixteen digits of a whole number, and puts names that
 * are whole numbers before all others, where Python does neither. What a chat template writes of a call's arguments is
 * therefore read with all kept.
 */
import { endOfText, isJson, parseFlat } from './json.js';

/** A number that JavaScript does not write as its text has it; `value` is the nearest that JavaScript has. */
export abstract class ExactNumber {
  constructor(readonly value: number) {}

  toJSON(): number {
    return this.value;
  }
}

/** A whole number that is written as a float: `2.0`, `1e22`. */
export class WholeFloat extends ExactNumber {}

/** A whole number of more digits than JavaScript keeps: an id of eighteen digits. */
export class LongWhole extends ExactNumber {
  constructor(readonly exact: bigint) {
    super(Number(exact));
  }
}

/** An object in the order of its text, where JavaScript would have another. */
export class OrderedObject extends Map<string, unknown> {
  toJSON(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this);
  }
}

/** Texts in which JavaScript may lose something: a whole float, an exponent, many digits, a name that is a whole number. */
const MAY_LOSE = /\d\.0|\d[eE]|\d{16}|"\d+"\s*:/;

const SPACE = /\s*/y;
/** A sign, or a word or number. */
const SIGN_OR_WORD = /[[\]{},:]|[^\s[\]{},:"]+/y;

/**
 * As `JSON.parse`, but for {@link ExactNumber} and {@link OrderedObject}. Objects of the first `plainLevels` levels are
 * plain, and so are the numbers in them. Throws a `SyntaxError`.
 */
export function parseExact(text: string, plainLevels = 0): unknown {
  const plain = parseFlat(text);
  if (!MAY_LOSE.test(text)) return plain;
  return new Reader(text, plainLevels).value(0);
}

function exactNumber(token: string, value: number): number | ExactNumber {
  if (!Number.isInteger(value)) return value;
  if (/[.eE]/.test(token)) return new WholeFloat(value);
  return Number.isSafeInteger(value) ? value : new LongWhole(BigInt(token));
}

/** Reads a text that is known to be JSON. */
class Reader {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly plainLevels: number,
  ) {}

  private next(): string {
    const { text } = this;
    SPACE.lastIndex = this.at;
    const start = this.at + (SPACE.exec(text)?.[0].length ?? 0);
    SIGN_OR_WORD.lastIndex = start;
    this.at =
      text[start] === '"' ? endOfText(text, start) : start + (SIGN_OR_WORD.exec(text)?.[0].length ?? 1);
    return text.slice(start, this.at);
  }

  value(level: number, token = this.next()): unknown {
    if (token === '[') return this.list(level);
    if (token === '{') return this.object(level);
    const value: unknown = JSON.parse(token);
    const isPlain = this.plainLevels > 0 && level <= this.plainLevels;
    return isPlain || typeof value !== 'number' ? value : exactNumber(token, value);
  }

  private list(level: number): readonly unknown[] {
    const items: unknown[] = [];
    for (let token = this.next(); token !== ']'; token = this.next())
      if (token !== ',') items.push(this.value(level + 1, token));
    return items;
  }

  private object(level: number): unknown {
    const entries = new OrderedObject();
    for (let token = this.next(); token !== '}'; token = this.next()) {
      if (token === ',') continue;
      const name = String(JSON.parse(token));
      this.next();
      entries.set(name, this.value(level + 1));
    }
    const isOrdered = level >= this.plainLevels && [...entries.keys()].some((name) => /^\d+$/.test(name));
    return isOrdered ? entries : entries.toJSON();
  }
}

/** The JSON that {@link parseExact} reads as this value. */
export function exactText(value: unknown): string {
  if (value instanceof WholeFloat) return wholeFloatText(value.value);
  if (value instanceof LongWhole) return String(value.exact);
  if (Array.isArray(value)) return `[${value.map(exactText).join(',')}]`;
  const entries = entriesOf(value);
  if (entries === undefined) return JSON.stringify(value);
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${exactText(inner)}`).join(',')}}`;
}

/** Names and values of an object of either form; `undefined` for any other value. */
export const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] | undefined =>
  value instanceof OrderedObject
    ? [...value]
    : isJson(value) && !(value instanceof ExactNumber)
      ? Object.entries(value).filter(([, inner]) => inner !== undefined)
      : undefined;

/** JavaScript writes an exponent from 1e21 on. */
function wholeFloatText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('e') ? text : `${text}.0`;
}
