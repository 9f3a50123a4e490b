import type { Comment } from './ast.js';

/** Doc comments by the offset of what they document. */
export interface Docs {
  /** The `///` lines right before the declaration that starts at `offset`. */
  before(offset: number): string | undefined;
}

const SPACE = ' \t\f\u00a0\ufeff';
const ONE_LINE_END = new RegExp(`^[${SPACE}]*\\r?\\n?[${SPACE}]*$`);

export function collectDocs(comments: readonly Comment[], text: string): Docs {
  const docs = comments.filter(({ kind, span }) => kind === 'doc' && startsLine(text, span.start));
  const before = (offset: number): string | undefined => {
    const lines: string[] = [];
    let end = offset;
    for (let i = lastBefore(docs, offset); i >= 0; i--) {
      const doc = docs[i];
      if (doc === undefined || !ONE_LINE_END.test(text.slice(doc.span.end, end))) break;
      lines.unshift(doc.text.slice(3).replace(/^ /, '').trimEnd());
      end = doc.span.start;
    }
    return lines.length === 0 ? undefined : lines.join('\n');
  };
  return { before };
}

/** A comment at the end of a line does not document what follows. */
function startsLine(text: string, offset: number): boolean {
  let at = offset;
  while (at > 0 && SPACE.includes(text.charAt(at - 1))) at--;
  return at === 0 || text.charAt(at - 1) === '\n' || text.charAt(at - 1) === '\r';
}

/** Place of the last comment that ends before an offset, -1 if there is none. */
function lastBefore(docs: readonly Comment[], offset: number): number {
  let [low, high] = [0, docs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((docs[middle]?.span.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
