/** What the name of a search before another name means. */
import { unknownName } from '../diagnostics/catalogue/names.js';
import * as errors from '../diagnostics/catalogue/search.js';
import type { Matrix, Word } from '../syntax/ast.js';
import type { Context } from './context.js';
import type { PortUse } from './scope.js';

/** The type that says that a matrix is one. */
const SEARCH_TYPE = 'Search';

export const isSearch = ({ type }: Matrix): boolean => type.text === SEARCH_TYPE;

/** That a port or a metric is one of the winner. */
export type Winner = Required<Pick<PortUse, 'winner'>>;

/** `best.adapter.best` is the port of `adapter` in the trial that wins. */
export function withoutWinner(
  path: readonly Word[],
  context: Context,
): { readonly path: readonly Word[]; readonly winner?: Winner } {
  const [first, second] = path;
  if (first === undefined || context.scope.own.get(first.text)?.kind !== 'search') return { path };
  context.scope.lookup(first.text);
  const known = context.scope.declared('stage');
  if (second === undefined) {
    context.report(errors.winnerOfWhat(first.span, first.text, known));
    return { path: [] };
  }
  if (context.scope.own.get(second.text)?.kind !== 'stage') {
    context.report(unknownName(second.span, second.text, known));
    return { path: [] };
  }
  return { path: path.slice(1), winner: { winner: first.span } };
}
