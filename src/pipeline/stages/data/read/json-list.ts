import { brokenFile } from '../../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../../language/diagnostics/types.js';
import { Gatherer, isMark, type Line, LONGEST_LINE, type Splitter } from '../file-lines.js';

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];
const [NEWLINE, RETURN, TAB, SPACE] = [0x0a, 0x0d, 0x09, 0x20];

const isSpace = (byte: number): boolean =>
  byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;

/** Bytes that a unit of a name takes at most: as an escape. A name may be as long as the file, and no more of it is kept than tells. */
const MOST_OF_UNIT = 6;

/**
 * Where the reader is: before the file's value, in an object whose member is looked for (`key`: a name begins here;
 * `value`: its value does), between the rows of the list, in one of them, after the list, or in the name of a member
 * after it.
 */
type State =
  | 'start'
  | 'key'
  | 'value'
  | 'skipped'
  | 'first'
  | 'next'
  | 'row'
  | 'between'
  | 'after'
  | 'later key';

/**
 * The elements of a JSON list, which is the whole file or, with `field`, that member of the object that it holds. Only
 * brackets and strings are told apart here: each element is parsed as the row that it is. Memory holds one element.
 */
export class ListSplitter implements Splitter {
  private state: State = 'start';
  /** Open brackets, those of the list and of the object around it among them. */
  private depth = 0;
  private inString = false;
  private escaped = false;
  private key: number[] = [];
  private line = 1;
  private lineStart = 0;
  private offset = 0;
  private row = { number: 1, offset: 0, depth: 0 };
  private readonly open: Gatherer;

  constructor(
    readonly file: string,
    readonly field: string | undefined,
    longest: number = LONGEST_LINE,
  ) {
    this.open = new Gatherer(longest);
  }

  *push(bytes: Uint8Array): Iterable<Line> {
    /** Where the part of the open row begins that is in these bytes. */
    let from = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      const at = this.offset + i;
      if (byte === NEWLINE) {
        this.line++;
        this.lineStart = at + 1;
      }
      if (this.state === 'row') {
        const end = this.endOf(byte);
        if (end === undefined) continue;
        this.open.add(bytes.subarray(from, end === 'after' ? i + 1 : i));
        yield { number: this.row.number, offset: this.row.offset, ...this.open.take() };
        this.state = 'between';
        if (end === 'after') continue;
      }
      if ((isSpace(byte) || isMark(byte, at)) && !this.inString) continue;
      if (this.step(byte, at)) from = i;
    }
    if (this.state === 'row') this.open.keep(bytes.subarray(from));
    this.offset += bytes.length;
  }

  end(): readonly Line[] {
    if (this.state === 'start') throw this.broken('it is empty', this.offset);
    if (this.state !== 'after' || this.depth > 0)
      throw this.broken('it ends in the middle: a bracket is never closed', this.offset);
    return [];
  }

  /** Whether the open row ends with this byte, or before it: a number or a word has no end of its own. */
  private endOf(byte: number): 'before' | 'after' | undefined {
    if (this.string(byte)) return undefined;
    const isOutside = this.depth === this.row.depth;
    if (byte === COMMA || isSpace(byte)) return isOutside ? 'before' : undefined;
    if (isOutside && (byte === LIST_END || byte === OBJECT_END)) return 'before';
    this.bracket(byte);
    return this.depth === this.row.depth && !isOutside ? 'after' : undefined;
  }

  /** Follows strings; whether the byte belongs to one. */
  private string(byte: number): boolean {
    if (!this.inString) {
      this.inString = byte === QUOTE;
      return this.inString;
    }
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.inString = false;
    return true;
  }

  /** A byte outside of rows; whether a row begins with it. */
  private step(byte: number, at: number): boolean {
    switch (this.state) {
      case 'start':
        return this.begin(byte, at);
      case 'key':
        return this.inKey(byte, at);
      case 'value':
        if (byte === LIST && this.isField()) return this.enter();
        if (this.isField())
          throw this.broken(
            `its member \`${this.field}\` is not a list`,
            at,
            'give the name of the member that holds the rows',
          );
        this.state = 'skipped';
        return this.skip(byte, at);
      case 'skipped':
        return this.skip(byte, at);
      case 'between':
        if (byte === COMMA) this.state = 'next';
        else if (byte === LIST_END) this.leave();
        else throw this.broken('expected a comma or `]` here', at);
        return false;
      case 'after':
        if (this.depth === 0) throw this.broken('there is something after its end', at);
        this.afterList(byte);
        return false;
      case 'later key':
        return this.inKey(byte, at);
      default:
        return this.element(byte, at);
    }
  }

  private begin(byte: number, at: number): boolean {
    if (byte === LIST && this.field === undefined) return this.enter();
    if (byte === OBJECT && this.field !== undefined) {
      this.depth = 1;
      this.state = 'key';
      return false;
    }
    if (byte === OBJECT)
      throw this.broken(
        'it holds an object, not a list of rows',
        at,
        'give the name of the member that holds the rows, `field: "data"`; use `jsonl` for a file with one object per line',
      );
    if (byte === LIST) throw this.broken('it holds a list, not an object', at, 'leave `field` out');
    throw this.broken('it has no list of rows', at);
  }

  private inKey(byte: number, at: number): boolean {
    const was = this.inString;
    const isString = this.string(byte);
    if (!was && isString) this.key = [];
    else if (was && this.key.length <= MOST_OF_UNIT * (this.field?.length ?? 0)) this.key.push(byte);
    else if (byte === COLON) this.named(at);
    else if (byte === OBJECT_END)
      throw this.state === 'key' ? this.noField(at) : this.broken('expected a name here', at);
    return false;
  }

  /** The name of a member is over. */
  private named(at: number): void {
    if (this.state === 'key') this.state = 'value';
    else if (this.isField())
      throw this.broken(`it has the member \`${this.field}\` twice`, at, 'remove or rename one of them');
    else this.state = 'after';
  }

  private afterList(byte: number): void {
    if (this.string(byte)) return;
    if (byte === COMMA && this.depth === 1) this.state = 'later key';
    else this.bracket(byte);
  }

  private isField(): boolean {
    const text = Buffer.from(this.key).toString();
    try {
      return JSON.parse(`"${text}`) === this.field;
    } catch {
      return false;
    }
  }

  private skip(byte: number, at: number): false {
    if (this.string(byte)) return false;
    if (this.depth === 1 && byte === OBJECT_END) throw this.noField(at);
    if (this.depth === 1 && byte === COMMA) this.state = 'key';
    else this.bracket(byte);
    return false;
  }

  private noField(at: number): UserError {
    const help = 'give the name of the member that holds the rows, or remove `field` if the file is a list';
    return this.broken(`it has no member \`${this.field}\``, at, help);
  }

  private bracket(byte: number): void {
    if (byte === LIST || byte === OBJECT) this.depth++;
    if (byte === LIST_END || byte === OBJECT_END) this.depth--;
  }

  private enter(): false {
    this.depth++;
    this.state = 'first';
    return false;
  }

  private leave(): void {
    this.depth--;
    this.state = 'after';
  }

  private element(byte: number, at: number): boolean {
    if (byte === LIST_END && this.state === 'first') {
      this.leave();
      return false;
    }
    if (byte === COMMA || byte === LIST_END) throw this.broken('expected a row here', at);
    this.row = { number: this.line, offset: at, depth: this.depth };
    this.state = 'row';
    this.endOf(byte);
    return true;
  }

  private broken(why: string, at: number, help?: string): UserError {
    const place = { file: this.file, line: this.line, column: at - this.lineStart + 1 };
    return new UserError(brokenFile(place, `cannot be read as JSON: ${why}`, help));
  }
}
