import { badHeader, brokenFile } from '../../../../language/diagnostics/catalogue/files.js';
import { clipped, counted } from '../../../../language/diagnostics/make.js';
import { type Place, UserError } from '../../../../language/diagnostics/types.js';
import { DELIMITERS } from '../../../../language/schemas/delimiters.js';
import {
  faultyLine,
  Gatherer,
  isMark,
  type Line,
  LONGEST_LINE,
  rowLine,
  type Splitter,
} from '../file-lines.js';
import { decodedText } from '../parse-row.js';

const [QUOTE, NEWLINE, RETURN] = [0x22, 0x0a, 0x0d];

/**
 * Records of a CSV file (RFC 4180) as JSON objects under the names of the first record. A quote opens a field only where
 * it is first in it, and a quoted field may hold line ends. A record that does not fit the header is a row with a
 * fault; a header that names a column twice, or a quote that is never closed, is the file's fault.
 */
export class CsvSplitter implements Splitter {
  private readonly open: Gatherer;
  private readonly separator: number;
  private header: readonly string[] | undefined;
  private state: 'start' | 'plain' | 'quoted' | 'quote' = 'start';
  private offset = 0;
  private line = 1;
  private recordLine = 1;
  private quoteLine = 1;

  constructor(
    readonly file: string,
    readonly delimiter: string,
    longest: number = LONGEST_LINE,
  ) {
    this.separator = delimiter.charCodeAt(0);
    this.open = new Gatherer(longest);
  }

  *push(bytes: Uint8Array): Iterable<Line> {
    let from = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      if (isMark(byte, this.offset + i)) {
        from = i + 1;
        continue;
      }
      if (byte === NEWLINE) this.line++;
      if (this.state === 'quoted') {
        if (byte === QUOTE) this.state = 'quote';
      } else if (byte === NEWLINE) {
        this.open.add(bytes.subarray(from, i));
        yield* this.close();
        from = i + 1;
      } else if (byte === QUOTE && this.state !== 'plain') {
        if (this.state === 'start') this.quoteLine = this.line;
        this.state = 'quoted';
      } else this.state = byte === this.separator ? 'start' : 'plain';
    }
    this.open.keep(bytes.subarray(from));
    this.offset += bytes.length;
  }

  end(): readonly Line[] {
    if (this.state === 'quoted')
      throw new UserError(
        brokenFile(
          { file: this.file, line: this.quoteLine, column: 0 },
          'cannot be read as CSV: a quote that opens in this line is never closed',
          'close it; a quote inside a quoted field is written twice',
        ),
      );
    return this.open.length === 0 ? [] : this.close();
  }

  private close(): readonly Line[] {
    const { bytes, length, tooLong } = this.open.take();
    const number = this.recordLine;
    this.recordLine = this.line;
    this.state = 'start';
    if (tooLong) return [{ number, offset: 0, bytes, tooLong, length }];
    const content = bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes;
    if (content.length === 0) return [];
    const text = decodedText(content);
    if (this.header === undefined) {
      this.header = headerOf(text, this.delimiter, { file: this.file, line: number, column: 0 });
      return [];
    }
    const fields = typeof text === 'string' ? fieldsOf(text, this.delimiter) : text.detail;
    if (typeof fields === 'string') return [faultyLine(number, fields)];
    const { header } = this;
    if (fields.length !== header.length)
      return [faultyLine(number, `${counted(fields.length, 'field')}, but the header has ${header.length}`)];
    const row = header.map((name, column) => [name, fields[column] ?? '']);
    return [rowLine(number, JSON.stringify(Object.fromEntries(row)))];
  }
}

function headerOf(
  text: string | { readonly detail: string },
  delimiter: string,
  place: Place,
): readonly string[] {
  const names = typeof text === 'string' ? fieldsOf(text, delimiter) : text.detail;
  if (typeof names === 'string') throw new UserError(badHeader(place, `the header is ${names}`));
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice?.trim() === '')
    throw new UserError(badHeader(place, 'the header has several columns without a name'));
  if (twice !== undefined)
    throw new UserError(badHeader(place, `the header names the column \`${clipped(twice)}\` twice`));
  if (names.some((name) => name.includes('\r')))
    throw new UserError(badHeader(place, 'lines end with CR only', 'convert the line ends to LF or CRLF'));
  const other = names.length > 1 ? undefined : otherDelimiter(names[0] ?? '');
  if (other !== undefined)
    throw new UserError(
      badHeader(place, `the header has no ${delimiterName(delimiter)}`, `write \`delimiter: ${other}\``),
    );
  return names;
}

/** What a single name seems to be cut by. */
const otherDelimiter = (name: string): string | undefined =>
  Object.keys(DELIMITERS).find((other) => name.includes(DELIMITERS[other] ?? ''));

const delimiterName = (delimiter: string): string =>
  Object.keys(DELIMITERS).find((name) => DELIMITERS[name] === delimiter) ?? delimiter;

/** Fields of a record, or what is wrong with it. */
function fieldsOf(text: string, delimiter: string): readonly string[] | string {
  const fields: string[] = [];
  for (let at = 0; ; ) {
    if (text[at] !== '"') {
      const end = text.indexOf(delimiter, at);
      fields.push(text.slice(at, end < 0 ? text.length : end));
      if (end < 0) return fields;
      at = end + 1;
      continue;
    }
    let close = text.indexOf('"', at + 1);
    while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
    if (close < 0) return 'not CSV: a quote is not closed';
    fields.push(text.slice(at + 1, close).replaceAll('""', '"'));
    if (close + 1 === text.length) return fields;
    if (text[close + 1] !== delimiter)
      return `not CSV: the closing quote of field ${fields.length} is followed by ${JSON.stringify(text[close + 1])}; a quote inside a quoted field is written twice`;
    at = close + 2;
  }
}
