import type { Span } from '../source/span.js';
import type { SourceText } from '../source/text.js';

/** With its line end, where nothing else is on its line. */
export function wholeLine(span: Span, { text }: SourceText): Span {
  const rest = /^[ \t]*(?:\r?\n|$)/.exec(text.slice(span.end));
  const isAlone = span.start === 0 || text[span.start - 1] === '\n';
  return rest === null || !isAlone ? span : { ...span, end: span.end + rest[0].length };
}

/** A declaration with its line end and the doc comments before it, which would pass to what follows. */
export function withDocs(span: Span, source: SourceText): Span {
  const before = source.text.slice(0, span.start);
  const docs = /(?:^|\n)((?:[ \t]*\/\/\/[^\n]*\n)+)$/.exec(before)?.[1] ?? '';
  return { ...wholeLine(span, source), start: span.start - docs.length };
}

/** A setting with its indentation and its line end, where nothing else is on its line. */
export function withIndent(span: Span, source: SourceText): Span {
  const indent = /(?:^|\n)([ \t]*)$/.exec(source.text.slice(0, span.start))?.[1];
  if (indent === undefined) return span;
  const rest = /^[ \t]*,?[ \t]*(?:\r?\n|$)/.exec(source.text.slice(span.end));
  return rest === null
    ? span
    : { ...span, start: span.start - indent.length, end: span.end + rest[0].length };
}
