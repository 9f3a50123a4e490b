/** Declarations that nothing refers to, and stages that nothing reads; the spans that a fix removes with them. */
import { stageWithoutEffect, unusedDeclaration, unusedImport } from '../diagnostics/catalogue/names.js';
import { isTestFile } from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type { SourceText } from '../source/text.js';
import type { Import, Word } from '../syntax/ast.js';
import type { Module } from './modules.js';
import { SYMBOL_NOUNS } from './nouns.js';
import type { Scope } from './scope.js';
import type { CheckedStage } from './stages.js';
import { isSearch } from './winners.js';

/** A file without a block is there to be imported from: others use what it declares. */
export function unusedDeclarations({ tree, source }: Module, scope: Scope): readonly Diagnostic[] {
  if (tree.blocks.length === 0 || isTestFile(tree.file)) return [];
  const unused = (
    kind: keyof typeof SYMBOL_NOUNS,
    declarations: readonly { readonly name: Word; readonly span: Span }[],
  ): readonly Diagnostic[] =>
    declarations
      .filter(({ name }) => !scope.used.has(name.text))
      .map(({ name, span }) =>
        unusedDeclaration(name.span, SYMBOL_NOUNS[kind], name.text, withDocs(span, source)),
      );
  return [
    ...unused('param', tree.params),
    // a search is there to be run: its winner need not be named
    ...unused(
      'matrix',
      tree.matrices.filter((matrix) => !isSearch(matrix)),
    ),
    ...unused('secret', tree.secrets),
    ...unused('preset', tree.presets),
  ];
}

/** Kinds whose output is there for other stages alone. */
const FOR_OTHERS = new Set(['data', 'format']);

/** Rows that no stage reads, where the pipeline goes further than rows. */
export function stagesWithoutEffect(
  stages: readonly CheckedStage[],
  { source }: Module,
): readonly Diagnostic[] {
  if (stages.every(({ stage }) => FOR_OTHERS.has(stage.kind))) return [];
  const read = new Set(stages.flatMap(({ uses }) => uses.map(({ stage }) => stage)));
  return stages
    .filter(({ stage }) => FOR_OTHERS.has(stage.kind) && stage.requires.length === 0 && !read.has(stage.name))
    .map(({ stage, block }) =>
      stageWithoutEffect(
        { ...block.kind.span, end: block.name.span.end },
        stage.instance?.of ?? stage.name,
        withDocs(block.span, source),
      ),
    );
}

/** Names that are imported and never looked up. */
export function unusedImports({ tree, source }: Module, scope: Scope): readonly Diagnostic[] {
  return tree.imports.flatMap((statement) =>
    statement.names.flatMap((name, index) => {
      const kind = scope.own.get(name.text)?.kind;
      // a machine is there to be planned for
      if (scope.used.has(name.text) || kind === 'unknown' || kind === 'machine') return [];
      const whole = statement.names.length === 1;
      const removal = whole ? wholeLine(statement.span, source) : withComma(statement, index);
      return [unusedImport(name.span, name.text, removal, whole)];
    }),
  );
}

/** The name and the comma that joins it to its neighbour. */
function withComma({ names, span }: Import, index: number): Span {
  const [before, own, next] = [names[index - 1], names[index], names[index + 1]];
  if (own === undefined) return span;
  if (next !== undefined) return { ...own.span, end: next.span.start };
  return { ...own.span, start: before?.span.end ?? own.span.start };
}

/** With its line end, where nothing else is on its line. */
function wholeLine(span: Span, { text }: SourceText): Span {
  const rest = /^[ \t]*(?:\r?\n|$)/.exec(text.slice(span.end));
  const isAlone = span.start === 0 || text[span.start - 1] === '\n';
  return rest === null || !isAlone ? span : { ...span, end: span.end + rest[0].length };
}

/** A declaration with its line end and the doc comments before it, which would pass to what follows. */
function withDocs(span: Span, source: SourceText): Span {
  const before = source.text.slice(0, span.start);
  const docs = /(?:^|\n)((?:[ \t]*\/\/\/[^\n]*\n)+)$/.exec(before)?.[1] ?? '';
  return { ...wholeLine(span, source), start: span.start - docs.length };
}
