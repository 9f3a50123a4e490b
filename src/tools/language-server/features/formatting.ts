/** The formatter of `ftpc fmt`, as edits that leave untouched lines alone. */
import type { TextEdit } from 'vscode-languageserver';
import { formatText } from '../../../language/formatter/index.js';
import { type SourceText, sourceText } from '../../../language/source/text.js';
import { toRange } from '../positions.js';
import { type Feature, onView } from '../session.js';

export const formatting: Feature = {
  capabilities: { documentFormattingProvider: true },
  register: (session) =>
    session.connection.onDocumentFormatting(
      onView(session, null, ({ source }) => {
        const { text } = formatText(source.text, source.file);
        return text === undefined ? null : lineEdits(source, text);
      }),
    ),
};

/**
 * One edit: from the first line that differs to the last. Cursors and marks elsewhere stay where they are, and lines end
 * as they do in the document: that is the editor's to choose.
 */
export function lineEdits(before: SourceText, changed: string): TextEdit[] {
  const newline = before.text.includes('\r\n') ? '\r\n' : '\n';
  const text = changed.replace(/\r?\n/g, newline);
  if (before.text === text) return [];
  const after = sourceText(before.file, text);
  const [old, fresh] = [before.lineStarts.length, after.lineStarts.length];
  const same = (a: number, b: number): boolean => whole(before, a) === whole(after, b);
  let first = 1;
  while (first < Math.min(old, fresh) && same(first, first)) first++;
  let sameAtEnd = 0;
  while (sameAtEnd < Math.min(old, fresh) - first && same(old - sameAtEnd, fresh - sameAtEnd)) sameAtEnd++;
  const startOf = (source: SourceText, line: number): number =>
    source.lineStarts[line - 1] ?? source.text.length;
  const [start, end] = [startOf(before, first), startOf(before, old - sameAtEnd + 1)];
  const newText = after.text.slice(startOf(after, first), startOf(after, fresh - sameAtEnd + 1));
  return [{ range: toRange(before, { start, end }), newText }];
}

/** A line with its end. */
function whole(source: SourceText, line: number): string {
  return source.text.slice(source.lineStarts[line - 1], source.lineStarts[line] ?? source.text.length);
}
