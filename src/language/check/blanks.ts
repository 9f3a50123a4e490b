/** Texts with a blank to fill, `"out/${name}"`, as other languages know them. */
import { notFilledIn } from '../diagnostics/catalogue/values.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Property } from '../syntax/ast.js';
import { withParts } from '../syntax/references.js';
import type { Module } from './modules.js';
import type { Scope } from './scope.js';
import { isValue } from './symbols.js';

/** Only names of parameters and matrices are told: any other text may be intended. */
export function blanksInTexts({ tree, source }: Module, scope: Scope): readonly Diagnostic[] {
  if (!source.text.includes('${')) return [];
  const properties: readonly Property[] = [...tree.blocks, ...tree.presets].flatMap(
    (declaration) => declaration.properties,
  );
  const values = [...properties, ...tree.params].flatMap(({ value }) => (value === undefined ? [] : [value]));
  return values.flatMap(withParts).flatMap((part) => {
    if (part.kind !== 'string') return [];
    const blanks = [...part.value.matchAll(/\$\{(\w+)\}/g)];
    const found = blanks.find(([, name = '']) => isValue(scope.own.get(name)));
    return found === undefined ? [] : [notFilledIn(part.span, found[0], found[1] ?? '')];
  });
}
