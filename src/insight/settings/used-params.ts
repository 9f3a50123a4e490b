/** The parameters that a value follows from. */
import type { Context } from '../../check/context.js';
import type { SourceMap } from '../../source/text.js';
import type { Expression, Matrix, Param } from '../../syntax/ast.js';
import { referredTo } from '../../syntax/references.js';
import { type FilePlace, placeOf } from './place.js';

export interface UsedParam {
  readonly name: string;
  /** Where its value is from. */
  readonly from: 'command line' | 'default' | 'matrix';
  /** Where it is declared. */
  readonly at?: FilePlace;
}

export function usedParams(
  expression: Expression,
  context: Context,
  sources: SourceMap,
  given: Readonly<Record<string, string>>,
): readonly UsedParam[] {
  const names = [...new Set(referredTo(expression).map(({ text }) => text))];
  return names.flatMap((name): readonly UsedParam[] => {
    const symbol = context.scope.own.get(name);
    if (symbol === undefined || !('declaration' in symbol) || !isParam(symbol.kind)) return [];
    const { declaration } = symbol as { readonly declaration: Param | Matrix };
    const at = placeOf(declaration.name.span, sources);
    const from = Object.hasOwn(given, name) ? 'command line' : symbol.kind === 'param' ? 'default' : 'matrix';
    return [{ name, from, at }];
  });
}

const isParam = (kind: string): boolean => kind === 'param' || kind === 'matrix';
