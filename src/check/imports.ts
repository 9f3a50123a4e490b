import { unusedImport } from '../diagnostics/catalogue/names.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Module } from './modules.js';
import type { Scope } from './scope.js';

/** Names that are imported and never looked up. */
export function unusedImports({ tree }: Module, scope: Scope): readonly Diagnostic[] {
  return tree.imports.flatMap(({ names, span }) =>
    names
      .filter(({ text }) => !scope.used.has(text) && scope.own.get(text)?.kind !== 'unknown')
      .map((name) => unusedImport(name.span, name.text, span, names.length === 1)),
  );
}
