/** The parameters that a value follows from. */
import type { Context } from '../../../language/check/context.js';
import { FILES, type ParamValues } from '../../../language/check/overrides.js';
import { lookUp } from '../../../language/source/look-up.js';
import type { SourceMap } from '../../../language/source/text.js';
import type { Expression, Matrix, Param } from '../../../language/syntax/ast.js';
import { referredTo } from '../../../language/syntax/references.js';
import { type FilePlace, placeOf } from './setting-places.js';

/** Where the value of a parameter is from; `file`: a file of `--params`. */
export type ParamSource = 'command line' | 'file' | 'default' | 'matrix';

/** `undefined` if it was not given. */
export function givenBy(
  name: string,
  params: ParamValues,
): { readonly from: ParamSource; readonly given: string } | undefined {
  if (!Object.hasOwn(params, name)) return undefined;
  const files = params[FILES]?.overrides ?? {};
  const override = lookUp(files, name);
  return override === undefined
    ? { from: 'command line', given: `-p ${name}=${params[name]}` }
    : { from: 'file', given: `${override.given.shown} in ${override.given.at.file}` };
}

export interface UsedParam {
  readonly name: string;
  readonly from: ParamSource;
  /** As it was given: `-p rate=2e-4`, or the file of parameters with it. */
  readonly given?: string;
  /** Where it is declared. */
  readonly at?: FilePlace;
}

export function usedParams(
  expression: Expression,
  context: Context,
  sources: SourceMap,
  params: ParamValues,
): readonly UsedParam[] {
  const names = [...new Set(referredTo(expression).map(({ text }) => text))];
  return names.flatMap((name): readonly UsedParam[] => {
    const symbol = context.scope.own.get(name);
    if (symbol === undefined || !('declaration' in symbol) || !isParam(symbol.kind)) return [];
    const { declaration } = symbol as { readonly declaration: Param | Matrix };
    const at = placeOf(declaration.name.span, sources);
    const own = symbol.kind === 'param' ? 'default' : 'matrix';
    return [{ name, at, ...(givenBy(name, params) ?? { from: own }) }];
  });
}

const isParam = (kind: string): boolean => kind === 'param' || kind === 'matrix';
