import { BadQuantity, Identifier, lexer, NumberLiteral, Quantity, STRINGS } from '../../grammar/tokens.js';
import type { Span } from '../../src/language/source/span.js';
import type { SourceFile } from '../../src/language/syntax/ast.js';

const SPEAKING = new Set([Identifier, NumberLiteral, Quantity, BadQuantity, ...STRINGS]);

/** The first name or value of a text of which its tree knows nothing. */
export function firstUnread(text: string, tree: SourceFile): string | undefined {
  const known: Known = { starts: new Set(), wholes: tree.edition === undefined ? [] : [tree.edition.span] };
  collect({ ...tree, comments: [] }, known);
  return lexer.tokenize(text).tokens.find(({ startOffset, tokenType }) => {
    if (!SPEAKING.has(tokenType) || known.starts.has(startOffset)) return false;
    return !known.wholes.some(({ start, end }) => startOffset >= start && startOffset < end);
  })?.image;
}

interface Known {
  /** Where words and values start. */
  readonly starts: Set<number>;
  /** What the tree has as one, though it is several tokens. */
  readonly wholes: Span[];
}

function collect(value: unknown, known: Known): void {
  if (value === null || typeof value !== 'object') return;
  if ('start' in value && typeof value.start === 'number') known.starts.add(value.start);
  if ('callee' in value) known.wholes.push((value.callee as { readonly span: Span }).span);
  for (const inner of Object.values(value)) collect(inner, known);
}
