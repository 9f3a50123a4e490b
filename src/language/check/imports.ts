import { unusedImport } from '../diagnostics/catalogue/names.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type { Import } from '../syntax/ast.js';
import type { Module } from './modules.js';
import { wholeLine } from './removal.js';
import type { Scope } from './scope.js';

/** Names that are imported and never looked up. */
export function unusedImports({ tree, source }: Module, scope: Scope): readonly Diagnostic[] {
  return tree.imports.flatMap((statement) =>
    statement.names.flatMap((name, index) => {
      if (scope.used.has(name.text) || scope.own.get(name.text)?.kind === 'unknown') return [];
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
