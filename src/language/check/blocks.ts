/** The blocks of a pipeline, checked in one combination of its matrices' values. */
import type { Budget, Value } from '../ir/program.js';
import type { Context } from './context.js';
import type { Module } from './modules.js';
import { type CheckedStage, checkBudget, checkStage } from './stages.js';
import { isValue } from './symbols.js';

export interface Blocks {
  readonly stages: readonly CheckedStage[];
  readonly budgets: readonly Budget[];
}

/** `wanted`: the stages that are of interest; budgets and presets always are. */
export function checkBlocks(
  main: Module,
  context: Context,
  wanted: (stage: string) => boolean = () => true,
): Blocks {
  const stages: CheckedStage[] = [];
  const budgets: Budget[] = [];
  for (const symbol of context.scope.own.values()) {
    if (symbol.kind === 'preset') symbol.layers();
    if (symbol.kind === 'budget') budgets.push(checkBudget(symbol.block, context, main.source));
    if (symbol.kind === 'stage' && symbol.schema !== undefined && wanted(symbol.block.name.text))
      stages.push(checkStage({ ...symbol, schema: symbol.schema }, context, main.source));
  }
  return { stages, budgets };
}

/** The values that are the same in every combination; evaluating them all reports what is wrong with them. */
export function evaluateParams(
  context: Context,
  varies: (name: string) => boolean = () => false,
): Readonly<Record<string, Value>> {
  const values = [...context.scope.own].flatMap(([name, symbol]) => {
    const value = isValue(symbol) ? symbol.constant()?.value : undefined;
    return value === undefined || varies(name) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(values);
}
