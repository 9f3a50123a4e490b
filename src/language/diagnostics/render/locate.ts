import type { Span } from '../../source/span.js';
import { type Position, positionAt, type SourceMap } from '../../source/text.js';
import type { Diagnostic } from '../types.js';

/** Lines and columns from 1; all 0 if a diagnostic has no place. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export function locateSpan(span: Span, sources: SourceMap): Location {
  const source = sources.get(span.file);
  if (source === undefined) return { file: span.file, line: 0, column: 0, endLine: 0, endColumn: 0 };
  const start: Position = positionAt(source, span.start);
  const end: Position = positionAt(source, Math.max(span.start, span.end));
  return { file: span.file, ...start, endLine: end.line, endColumn: end.column };
}

export function locate({ at }: Diagnostic, sources: SourceMap): Location {
  if (at === undefined) return { file: '', line: 0, column: 0, endLine: 0, endColumn: 0 };
  if ('start' in at) return locateSpan(at, sources);
  return { file: at.file, line: at.line, column: at.column, endLine: at.line, endColumn: at.column };
}
