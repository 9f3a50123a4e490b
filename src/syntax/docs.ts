import type { Comment } from './ast.js';

/** Doc comments by what they stand before. */
export interface Docs {
  /** The `///` lines right before the declaration that starts at `offset`. */
  before(offset: number): string | undefined;
  /** The `///` lines before the first declaration, which starts at `offset`. */
  ofFile(offset: number): string | undefined;
}

export function collectDocs(comments: readonly Comment[], text: string): Docs {
  const docs = comments.filter((comment) => comment.kind === 'doc');
  const before = (offset: number): string | undefined => {
    const lines: string[] = [];
    let end = offset;
    for (let i = docs.length - 1; i >= 0; i--) {
      const doc = docs[i];
      if (doc === undefined || doc.span.end > end) continue;
      if (!/^[ \t]*\r?\n?[ \t]*$/.test(text.slice(doc.span.end, end))) break;
      lines.unshift(doc.text.slice(3).replace(/^ /, '').trimEnd());
      end = doc.span.start;
    }
    return lines.length === 0 ? undefined : lines.join('\n');
  };
  return { before, ofFile: before };
}
