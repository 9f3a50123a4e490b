/** What can be folded (blocks, brackets, comments, imports), and what a selection grows to: value, setting, block, file. */
import type { FoldingRange, SelectionRange } from 'vscode-languageserver';
import { FoldingRangeKind } from 'vscode-languageserver/node.js';
import type { Span } from '../../../language/source/span.js';
import { positionAt, type SourceText } from '../../../language/source/text.js';
import type { Expression } from '../../../language/syntax/ast.js';
import { partsOf } from '../../../language/syntax/references.js';
import { endOf, isNewline, tokensOf } from '../cursor/tokens.js';
import { contains, toOffset, toRange } from '../positions.js';
import type { View } from '../projects.js';
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

export const selection: Feature = {
  capabilities: { selectionRangeProvider: true },
  register: (session) =>
    session.connection.onSelectionRanges(
      onView(session, null, (view, params) =>
        params.positions.map((position) => rangesAt(view, toOffset(view.source, position))),
      ),
    ),
};

type Extent = Pick<Span, 'start' | 'end'>;

function rangesAt(view: View, offset: number): SelectionRange {
  const { source } = view;
  const token = tokensOf(source).tokens.find(
    (one) => !isNewline(one) && one.startOffset <= offset && offset <= endOf(one),
  );
  const extents: Extent[] = [
    { start: 0, end: source.text.length },
    ...aroundIn(view, offset),
    token === undefined ? { start: offset, end: offset } : { start: token.startOffset, end: endOf(token) },
  ];
  let range: SelectionRange | undefined;
  let last: Extent | undefined;
  for (const extent of extents.sort((a, b) => b.end - b.start - (a.end - a.start))) {
    if (!contains(extent, offset) || (last?.start === extent.start && last.end === extent.end)) continue;
    range = { range: toRange(source, extent), ...(range === undefined ? {} : { parent: range }) };
    last = extent;
  }
  return range ?? { range: toRange(source, { start: offset, end: offset }) };
}

/** Spans of the tree that hold the offset. */
function aroundIn({ module: { tree } }: View, offset: number): readonly Extent[] {
  const found: Extent[] = [];
  const take = (extent: Extent): boolean => contains(extent, offset) && found.push(extent) > 0;
  for (const body of [...tree.blocks, ...tree.presets, ...tree.machines, ...tree.tests]) {
    if (!take(body.span)) continue;
    for (const { key, value } of body.properties)
      if (take({ start: key.span.start, end: Math.max(key.span.end, value.span.end) })) inside(value, take);
    const conditions = 'requirements' in body ? body.requirements : body.expectations;
    for (const { span, condition } of conditions) if (take(span)) inside(condition, take);
  }
  for (const one of [...tree.params, ...tree.matrices, ...tree.secrets])
    if (take(one.span) && one.value !== undefined) inside(one.value, take);
  for (const { span } of tree.imports) take(span);
  return found;
}

function inside(expression: Expression, take: (extent: Extent) => boolean): void {
  if (!take(expression.span)) return;
  for (const part of partsOf(expression)) inside(part, take);
}
