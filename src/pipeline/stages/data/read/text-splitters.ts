import {
  faultyLine,
  Gatherer,
  type Line,
  LineSplitter,
  LONGEST_LINE,
  markLength,
  NEWLINE,
  RETURN,
  rowLine,
  type Splitter,
} from '../file-lines.js';
import { decodedText } from '../parse-row.js';

export type DocumentsBy = 'document' | 'paragraph' | 'line';

/** Texts as rows with the one column `text`. */
export const textSplitter = (by: DocumentsBy, longest: number = LONGEST_LINE): Splitter =>
  by === 'document' ? new DocumentSplitter(longest) : new LinesAsText(by === 'paragraph', longest);

/** The whole file, without line ends at its end. */
class DocumentSplitter implements Splitter {
  private readonly open: Gatherer;

  constructor(longest: number) {
    this.open = new Gatherer(longest);
  }

  push(bytes: Uint8Array): readonly Line[] {
    this.open.keep(bytes);
    return [];
  }

  end(): readonly Line[] {
    const { bytes, tooLong, length } = this.open.take();
    if (tooLong) return [{ number: 1, offset: 0, bytes, tooLong, length }];
    return asText(bytes.subarray(markLength(bytes)), 1);
  }
}

/** Each line, or the lines between two blank ones. */
class LinesAsText implements Splitter {
  private readonly lines: LineSplitter;
  private readonly open: Gatherer;
  private first = 0;
  private last = 0;

  constructor(
    readonly joins: boolean,
    longest: number,
  ) {
    this.lines = new LineSplitter(longest);
    this.open = new Gatherer(longest);
  }

  *push(bytes: Uint8Array): Iterable<Line> {
    for (const line of this.lines.push(bytes)) yield* this.add(line);
  }

  end(): readonly Line[] {
    return [...this.lines.end().flatMap((line) => this.add(line)), ...this.close()];
  }

  private add(line: Line): readonly Line[] {
    const goesOn = this.joins && line.number === this.last + 1 && this.open.length > 0;
    const closed = goesOn ? [] : this.close();
    if (goesOn) this.open.add(LINE_END);
    else this.first = line.number;
    this.last = line.number;
    if (!line.tooLong) this.open.keep(line.bytes);
    return line.tooLong ? [...closed, line] : closed;
  }

  private close(): readonly Line[] {
    if (this.open.length === 0) return [];
    const { bytes, tooLong, length } = this.open.take();
    return tooLong ? [{ number: this.first, offset: 0, bytes, tooLong, length }] : asText(bytes, this.first);
  }
}

const LINE_END = Buffer.from('\n');

const isLineEnd = (unit: number): boolean => unit === NEWLINE || unit === RETURN;

function asText(bytes: Uint8Array, number: number): readonly Line[] {
  const text = decodedText(bytes);
  if (typeof text !== 'string') return [faultyLine(number, text.detail)];
  // a regular expression would look from each of millions of line ends in a text to the end of their run
  let end = text.length;
  while (end > 0 && isLineEnd(text.charCodeAt(end - 1))) end--;
  const content = text.slice(0, end);
  return content.trim() === '' ? [] : [rowLine(number, JSON.stringify({ text: content }))];
}
