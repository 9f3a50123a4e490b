/** Offsets of the compiler ↔ positions of the protocol: lines and UTF-16 columns from 0. */
import type { Position, Range } from 'vscode-languageserver';
import type { Span } from '../../language/source/span.js';
import { positionAt, type SourceText } from '../../language/source/text.js';

export function toPosition(source: SourceText, offset: number): Position {
  const { line, column } = positionAt(source, Math.max(0, Math.min(offset, source.text.length)));
  return { line: line - 1, character: column - 1 };
}

export const toRange = (source: SourceText, { start, end }: Pick<Span, 'start' | 'end'>): Range => ({
  start: toPosition(source, start),
  end: toPosition(source, Math.max(start, end)),
});

/** A place beyond a line's or the file's end is taken for that end. */
export function toOffset(source: SourceText, { line, character }: Position): number {
  const start = source.lineStarts[Math.max(0, line)];
  if (start === undefined) return source.text.length;
  const next = source.lineStarts[line + 1];
  let end = next ?? source.text.length;
  while (next !== undefined && end > start && /[\r\n]/.test(source.text.charAt(end - 1))) end--;
  return Math.min(start + Math.max(0, character), end);
}

export const contains = ({ start, end }: Pick<Span, 'start' | 'end'>, offset: number): boolean =>
  start <= offset && offset <= end;
