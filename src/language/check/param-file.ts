/** A file of parameters: one JSON object, `{ "rate": 1e-4, "longest": "512tok", "smoke": true }`. */
import * as errors from '../diagnostics/catalogue/params.js';
import type { Diagnostic, Place } from '../diagnostics/types.js';
import { positionAt, sourceText } from '../source/text.js';
import type { Override, ParamFile } from './overrides.js';

/** A token of JSON, after white space. */
const TOKEN =
  /[ \t\r\n]*(?:("(?:[^"\\\r\n]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|(true|false|null)\b|([{}[\],:]))/y;
const SPACE = /^[ \t\r\n]*/;
const ODD = /^(?:[\w.+-]+|.)/s;

interface Token {
  readonly kind: 'string' | 'number' | 'word' | 'sign' | 'end' | 'bad';
  readonly text: string;
  readonly start: number;
}

/** Reads a file's text; each mistake is reported at its place in the file. */
export function readParamFile(text: string, file: string): ParamFile {
  return new Reader(text.replace(/^\ufeff/, ''), file).read();
}

class Reader {
  /** Without a prototype: a parameter may be called `__proto__`, or rather may not. */
  private readonly overrides: Record<string, Override> = Object.create(null) as Record<string, Override>;
  private readonly diagnostics: Diagnostic[] = [];
  private readonly source;
  private token: Token;

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {
    this.source = sourceText(file, text);
    this.token = this.next(0);
  }

  read(): ParamFile {
    if (!this.takes('{')) this.fail('an object `{ … }`');
    else if (!this.takes('}')) {
      do this.member();
      while (this.diagnostics.every(isOfValue) && this.takes(','));
      if (this.diagnostics.every(isOfValue) && !this.takes('}')) this.fail('`,` or `}`');
    }
    if (this.diagnostics.every(isOfValue) && this.token.kind !== 'end') this.fail('the end of the file');
    return { overrides: this.overrides, diagnostics: this.diagnostics };
  }

  private member(): void {
    const key = this.token;
    if (key.kind !== 'string') this.fail('a name in double quotes');
    else {
      this.advance();
      if (this.takes(':')) this.value(key, this.token);
      else this.fail('`:`');
    }
  }

  private value(key: Token, value: Token): void {
    const name = String(JSON.parse(key.text));
    const at = this.placeOf(value.start);
    if (value.kind === 'sign' && /[{[]/.test(value.text)) {
      if (this.skips())
        this.diagnostics.push(errors.badMember(at, name, value.text === '[' ? 'a list' : 'an object'));
      return;
    }
    if (value.kind !== 'string' && value.kind !== 'number' && value.kind !== 'word') {
      this.fail('a value');
      return;
    }
    this.advance();
    const named = this.placeOf(key.start);
    if (Object.hasOwn(this.overrides, name)) this.diagnostics.push(errors.memberTwice(named, name));
    else if (value.text === 'null') this.diagnostics.push(errors.badMember(at, name, '`null`'));
    else {
      const isText = value.kind === 'string';
      this.overrides[name] = {
        text: isText ? String(JSON.parse(value.text)) : value.text,
        isText,
        named,
        given: { shown: `${key.text}: ${value.text}`, at },
      };
    }
  }

  /** Goes over a list or an object, whatever it holds; a bracket of the wrong kind closes nothing. */
  private skips(): boolean {
    const open: string[] = [];
    do {
      const { kind, text } = this.token;
      const closes = kind === 'sign' && /[}\]]/.test(text);
      if (kind === 'end' || kind === 'bad' || (closes && open.pop() !== text)) {
        this.fail('a value or a closing bracket');
        return false;
      }
      if (kind === 'sign' && /[{[]/.test(text)) open.push(text === '{' ? '}' : ']');
      this.advance();
    } while (open.length > 0);
    return true;
  }

  private takes(sign: string): boolean {
    if (this.token.kind !== 'sign' || this.token.text !== sign) return false;
    this.advance();
    return true;
  }

  private advance(): void {
    this.token = this.next(this.token.start + this.token.text.length);
  }

  private next(from: number): Token {
    TOKEN.lastIndex = from;
    const match = TOKEN.exec(this.text);
    const [, string, number, word, sign] = match ?? [];
    if (match === null || (string !== undefined && !isString(string))) {
      const start = from + (SPACE.exec(this.text.slice(from))?.[0].length ?? 0);
      const text = ODD.exec(this.text.slice(start))?.[0] ?? '';
      return { kind: start >= this.text.length ? 'end' : 'bad', text, start };
    }
    const text = string ?? number ?? word ?? sign ?? '';
    const kind =
      string !== undefined
        ? 'string'
        : number !== undefined
          ? 'number'
          : word !== undefined
            ? 'word'
            : 'sign';
    return { kind, text, start: TOKEN.lastIndex - text.length };
  }

  private fail(wanted: string): void {
    const found = this.token.kind === 'end' ? 'the end of the file' : `\`${this.token.text}\``;
    this.diagnostics.push(errors.paramFileNoJson(this.placeOf(this.token.start), wanted, found));
  }

  private placeOf(offset: number): Place {
    return { file: this.file, ...positionAt(this.source, offset) };
  }
}

/** A member that is not taken leaves the rest readable; a break in the form does not. */
const isOfValue = ({ code }: Diagnostic): boolean => code !== errors.NO_JSON;

/** Escapes that JSON does not know, and control characters, make a text none. */
function isString(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
