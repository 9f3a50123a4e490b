/** Blocks, brackets over several lines, runs of comments and of imports. */
import type { FoldingRange } from 'vscode-languageserver';
import { FoldingRangeKind } from 'vscode-languageserver/node.js';
import { positionAt, type SourceText } from '../../../language/source/text.js';
import { endOf, tokensOf } from '../cursor/tokens.js';
import { type Feature, onView } from '../session.js';

export const folding: Feature = {
  capabilities: { foldingRangeProvider: true },
  register: (session) =>
    session.connection.onFoldingRanges(
      onView(session, null, ({ source, module }) => {
        const imports = module.tree.imports.map(({ span }) => span);
        return [
          ...brackets(source),
          ...runs(
            tokensOf(source).comments.map((token) => ({ start: token.startOffset, end: endOf(token) })),
            source,
            FoldingRangeKind.Comment,
          ),
          ...runs(imports, source, FoldingRangeKind.Imports),
        ];
      }),
    ),
};

const CLOSING: Readonly<Record<string, string>> = { '}': '{', ']': '[', ')': '(' };

function brackets(source: SourceText): FoldingRange[] {
  const open: { readonly image: string; readonly line: number }[] = [];
  const found: FoldingRange[] = [];
  for (const { image, startOffset } of tokensOf(source).tokens) {
    const opening = CLOSING[image];
    if (image === '{' || image === '[' || image === '(')
      open.push({ image, line: lineOf(source, startOffset) });
    if (opening === undefined) continue;
    const index = open.findLastIndex((bracket) => bracket.image === opening);
    const bracket = open[index];
    if (bracket === undefined) continue;
    open.length = index;
    const last = lineOf(source, startOffset) - 1;
    // The line of the closing bracket stays in sight.
    if (last > bracket.line) found.push({ startLine: bracket.line, endLine: last });
  }
  return found;
}

/** Things that are on lines one after another. */
function runs(
  spans: readonly { readonly start: number; readonly end: number }[],
  source: SourceText,
  kind: FoldingRangeKind,
): FoldingRange[] {
  const found: { startLine: number; endLine: number }[] = [];
  for (const { start, end } of spans) {
    const [first, last] = [lineOf(source, start), lineOf(source, end)];
    const before = found.at(-1);
    if (before !== undefined && first <= before.endLine + 1) before.endLine = Math.max(before.endLine, last);
    else found.push({ startLine: first, endLine: last });
  }
  return found.filter(({ startLine, endLine }) => endLine > startLine).map((run) => ({ ...run, kind }));
}

const lineOf = (source: SourceText, offset: number): number => positionAt(source, offset).line - 1;
